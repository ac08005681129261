/** The page at `/`: a form that works without a script. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>QR code maker</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; }
label { display: block; margin-top: 1rem; }
textarea, select, input { font: inherit; width: 100%; box-sizing: border-box; }
button { font: inherit; margin-top: 1rem; padding: .25rem 1rem; }
</style>
</head>
<body>
<h1>QR code maker</h1>
<form action="/qr" method="get" accept-charset="utf-8">
<label for="text">Text, up to 1024 bytes</label>
<textarea id="text" name="text" rows="4" maxlength="1024" required autofocus></textarea>
<label for="format">Format</label>
<select id="format" name="format"><option value="svg" selected>SVG</option><option value="png">PNG</option></select>
<label for="scale">Pixels a module, 1 to 20</label>
<input id="scale" name="scale" type="number" min="1" max="20" value="8" required>
<button>Make the code</button>
</form>
</body>
</html>
`;
