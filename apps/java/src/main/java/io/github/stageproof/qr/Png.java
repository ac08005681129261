package io.github.stageproof.qr;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

/** Writes square black-and-white pictures as PNG (ISO/IEC 15948): one grey channel of one bit. */
final class Png {

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int HEADER_BYTES = 13;
    private static final int CRC_BYTES = 4;

    @FunctionalInterface
    interface Cells {
        boolean isBlack(int x, int y);
    }

    private Png() {
    }

    /** The picture of so many cells on a side, each a square of {@code scale} pixels on a side. */
    static byte[] of(Cells cells, int side, int scale) {
        int size = side * scale;
        var png = new ByteArrayOutputStream();
        png.writeBytes(SIGNATURE);
        // Bit depth 1, colour type 0 (grey), and the only methods there are for compression, filter and interlace.
        var header = ByteBuffer.allocate(HEADER_BYTES).putInt(size).putInt(size).put((byte) 1);
        png.writeBytes(chunk("IHDR", header.array()));
        png.writeBytes(chunk("IDAT", pixels(cells, side, scale)));
        png.writeBytes(chunk("IEND", new byte[0]));
        return png.toByteArray();
    }

    private static byte[] pixels(Cells cells, int side, int scale) {
        var compressed = new ByteArrayOutputStream();
        try (var out = new DeflaterOutputStream(compressed)) {
            for (int y = 0; y < side; y++) {
                byte[] row = row(cells, y, side, scale);
                for (int i = 0; i < scale; i++) {
                    out.write(row);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }

    /** A zero (no filter) and then the pixels, eight in a byte, the first in the highest bit, 1 for white. */
    private static byte[] row(Cells cells, int y, int side, int scale) {
        var row = new byte[1 + (side * scale + 7) / 8];
        Arrays.fill(row, 1, row.length, (byte) 0xff);
        for (int x = 0; x < side * scale; x++) {
            if (cells.isBlack(x / scale, y)) {
                row[1 + x / 8] &= (byte) ~(0x80 >> x % 8);
            }
        }
        return row;
    }

    /** Length of the data, type, data, and the CRC-32 of type and data. */
    private static byte[] chunk(String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        var chunk = ByteBuffer.allocate(Integer.BYTES + name.length + data.length + CRC_BYTES)
                .putInt(data.length).put(name).put(data);
        var crc = new CRC32();
        crc.update(chunk.array(), Integer.BYTES, name.length + data.length);
        return chunk.putInt((int) crc.getValue()).array();
    }
}
