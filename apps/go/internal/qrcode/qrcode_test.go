package qrcode

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"
)

// texts are at the edges of what the service takes.
var texts = map[string]string{
	"one byte":        "a",
	"an address":      "https://example.com/?a=1&b=%20",
	"digits":          "0123456789",
	"a signed number": "+12",
	"negative zero":   "-0",
	"capitals":        "HELLO WORLD",
	"umlauts":         "Grüße, Zürich",
	"emoji":           "🎉🎉🎉",
	"line breaks":     "one\r\ntwo\x00three",
	"1024 bytes":      strings.Repeat("x", 1024),
	"1024 bytes of ü": strings.Repeat("ü", 512),
}

func TestAPNGReadsBackAsItsTextWithLevelM(t *testing.T) {
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			got, level := read(t, decodePNG(t, text, 2))
			if got != text || level != "M" {
				t.Errorf("read %q with level %s, want %q with level M", got, level, text)
			}
		})
	}
}

func TestEveryScaleHasItsSize(t *testing.T) {
	code := encode(t, "https://example.com")
	modules := code.Side(1) - 2*quiet
	if modules < 21 || (modules-17)%4 != 0 {
		t.Fatalf("%d modules are no QR code", modules)
	}
	for scale := 1; scale <= 20; scale++ {
		want := (modules + 8) * scale
		if got := decodePNG(t, "https://example.com", scale).Bounds(); got != image.Rect(0, 0, want, want) {
			t.Errorf("scale %d: PNG of %v, want %d", scale, got, want)
		}
		if got := parseSVG(t, code.SVG(scale)); got.Width != want || got.Height != want {
			t.Errorf("scale %d: SVG of %d x %d, want %d", scale, got.Width, got.Height, want)
		}
	}
}

func TestAPNGIsBlackOnWhiteWithAQuietZoneOfFourModules(t *testing.T) {
	const scale = 3
	picture := decodePNG(t, "a", scale)
	colors := map[color.Color]int{}
	side := picture.Bounds().Dx()
	for y := range side {
		for x := range side {
			pixel := picture.At(x, y)
			colors[pixel]++
			border := min(x, y, side-1-x, side-1-y) < 4*scale
			if border && pixel != (color.RGBA{255, 255, 255, 255}) {
				t.Fatalf("the quiet zone is not white at %d, %d", x, y)
			}
		}
	}
	if len(colors) != 2 || colors[color.RGBA{0, 0, 0, 255}] == 0 {
		t.Errorf("colours are %v, want black and white", colors)
	}
	if corner := picture.At(4*scale, 4*scale); corner != (color.RGBA{0, 0, 0, 255}) {
		t.Errorf("the finder pattern does not start after four modules: %v", corner)
	}
}

func TestAnSVGHasTheSameModulesAsThePNG(t *testing.T) {
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			drawn := parseSVG(t, encode(t, text).SVG(7))
			want := decodePNG(t, text, 1)
			side := want.Bounds().Dx()
			if drawn.ViewBox != fmt.Sprintf("0 0 %d %d", side, side) {
				t.Errorf("viewBox is %s", drawn.ViewBox)
			}
			if drawn.Rect.Width != side || drawn.Rect.Height != side || drawn.Rect.Fill != "#fff" || drawn.Path.Fill != "#000" {
				t.Errorf("not black on a white background of the whole picture: %+v %s", drawn.Rect, drawn.Path.Fill)
			}
			dark := darkModules(t, drawn.Path.D)
			for y := range side {
				for x := range side {
					if black := want.At(x, y) == (color.RGBA{0, 0, 0, 255}); dark[image.Pt(x, y)] != black {
						t.Fatalf("module %d, %d: SVG dark %t, PNG black %t", x, y, !black, black)
					}
				}
			}
		})
	}
}

func TestTooMuchTextIsAnErrorAndNoPanic(t *testing.T) {
	if _, err := Encode(strings.Repeat("x", 3000)); err == nil {
		t.Error("3000 bytes gave no error")
	}
}

func BenchmarkTheLargestPNG(b *testing.B) {
	code, err := Encode(strings.Repeat("x", 1024))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := code.PNG(20); err != nil {
			b.Fatal(err)
		}
	}
}

type svg struct {
	XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
	Width   int      `xml:"width,attr"`
	Height  int      `xml:"height,attr"`
	ViewBox string   `xml:"viewBox,attr"`
	Rect    struct {
		Width  int    `xml:"width,attr"`
		Height int    `xml:"height,attr"`
		Fill   string `xml:"fill,attr"`
	} `xml:"rect"`
	Path struct {
		Fill string `xml:"fill,attr"`
		D    string `xml:"d,attr"`
	} `xml:"path"`
}

func parseSVG(t *testing.T, text []byte) (parsed svg) {
	t.Helper()
	if err := xml.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// darkModules draws the path again.
func darkModules(t *testing.T, path string) map[image.Point]bool {
	t.Helper()
	dark := map[image.Point]bool{}
	for part := range strings.SplitAfterSeq(path, "z") {
		if part == "" {
			continue
		}
		var x, y, right, left int
		if _, err := fmt.Sscanf(part, "M%d %dh%dv1h-%dz", &x, &y, &right, &left); err != nil || right != left {
			t.Fatalf("path part %q: %v", part, err)
		}
		for i := range right {
			dark[image.Pt(x+i, y)] = true
		}
	}
	return dark
}

func encode(t *testing.T, text string) Code {
	t.Helper()
	code, err := Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// decodePNG returns the PNG of text as RGBA.
func decodePNG(t *testing.T, text string, scale int) image.Image {
	t.Helper()
	content, err := encode(t, text).PNG(scale)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	rgba := image.NewRGBA(picture.Bounds())
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			rgba.Set(x, y, picture.At(x, y))
		}
	}
	return rgba
}

// read decodes a picture with another library than the one that made it.
func read(t *testing.T, picture image.Image) (text, level string) {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := reader.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE:  true,
		gozxing.DecodeHintType_CHARACTER_SET: "UTF-8",
	})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText(), fmt.Sprint(result.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL])
}
