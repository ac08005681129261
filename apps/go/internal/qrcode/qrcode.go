// Package qrcode makes QR codes, and draws them as SVG and PNG.
package qrcode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"sync"

	"github.com/boombuler/barcode/qr"
)

// quiet is the width of the white border, in modules.
const quiet = 4

// Code is a QR code of error correction level M.
type Code struct {
	dark [][]bool // by row and column, the quiet zone included
}

// Encode makes the smallest code that holds text in byte mode.
func Encode(text string) (Code, error) {
	// Not qr.Auto: it takes "+12" for a number, and then the code reads "012".
	modules, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return Code{}, fmt.Errorf("encode %d bytes: %w", len(text), err)
	}
	size := modules.Bounds().Dx()
	dark := make([][]bool, size+2*quiet)
	for y := range dark {
		dark[y] = make([]bool, len(dark))
	}
	for y := range size {
		for x := range size {
			dark[y+quiet][x+quiet] = modules.At(x, y) == color.Black
		}
	}
	return Code{dark: dark}, nil
}

// Side is the length of the picture's side in pixels, the quiet zone included.
func (c Code) Side(scale int) int { return len(c.dark) * scale }

// SVG draws the code with scale pixels a module. Each run of dark modules in a row is one part of a single path.
func (c Code) SVG(scale int) []byte {
	var out bytes.Buffer
	side, view := c.Side(scale), c.Side(1)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges">`,
		side, side, view, view)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, view, view)
	for y, row := range c.dark {
		for x := 0; x < len(row); x++ {
			run := 0
			for row[x+run] { // ends in the quiet zone at the latest
				run++
			}
			if run > 0 {
				fmt.Fprintf(&out, "M%d %dh%dv1h-%dz", x, y, run, run)
				x += run
			}
		}
	}
	out.WriteString(`"/></svg>` + "\n")
	return out.Bytes()
}

// PNG draws the code with scale pixels a module.
func (c Code) PNG(scale int) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{BufferPool: &buffers}
	if err := encoder.Encode(&out, picture{code: c, scale: scale}); err != nil {
		return nil, fmt.Errorf("draw a PNG: %w", err)
	}
	return out.Bytes(), nil
}

// picture is the code as an image with two colours. It computes its pixels, so that a large one takes no memory.
type picture struct {
	code  Code
	scale int
}

var palette = color.Palette{color.White, color.Black}

func (p picture) ColorModel() color.Model { return palette }
func (p picture) At(x, y int) color.Color { return palette[p.ColorIndexAt(x, y)] }

func (p picture) Bounds() image.Rectangle {
	return image.Rect(0, 0, p.code.Side(p.scale), p.code.Side(p.scale))
}

// ColorIndexAt makes picture an image.PalettedImage, which the encoder writes with one bit a pixel.
func (p picture) ColorIndexAt(x, y int) uint8 {
	if p.code.dark[y/p.scale][x/p.scale] {
		return 1
	}
	return 0
}

// pool keeps the encoder's buffers, its compressor with them, which are larger than most pictures.
type pool struct{ sync.Pool }

var buffers pool

func (p *pool) Get() *png.EncoderBuffer {
	buffer, _ := p.Pool.Get().(*png.EncoderBuffer)
	return buffer // nil asks the encoder to make one
}

func (p *pool) Put(buffer *png.EncoderBuffer) { p.Pool.Put(buffer) }
