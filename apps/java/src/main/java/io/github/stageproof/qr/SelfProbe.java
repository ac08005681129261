package io.github.stageproof.qr;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** Asks the running service for {@code /healthz}, by a bare socket: an HTTP client takes longer to load. */
final class SelfProbe {

    private static final Duration LIMIT = Duration.ofSeconds(2);
    private static final byte[] LOOPBACK = {127, 0, 0, 1};
    private static final String HEALTHY = "HTTP/1.1 200 ";

    private SelfProbe() {
    }

    static boolean isHealthy(Map<String, String> environment) {
        try {
            return ask(Settings.port(environment)).equals(HEALTHY);
        } catch (BadSetting | IOException e) {
            System.err.println("healthcheck: " + e.getMessage());
            return false;
        }
    }

    private static String ask(int port) throws IOException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), port), remainingMillis(deadline));
            socket.getOutputStream().write(
                    "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n".formatted(port)
                            .getBytes(StandardCharsets.US_ASCII));
            var start = new byte[HEALTHY.length()];
            for (int read = 0; read < start.length; ) {
                socket.setSoTimeout(remainingMillis(deadline));
                int count = socket.getInputStream().read(start, read, start.length - read);
                if (count < 0) {
                    throw new IOException("the answer ended early");
                }
                read += count;
            }
            return new String(start, StandardCharsets.US_ASCII);
        }
    }

    private static int remainingMillis(long deadline) throws IOException {
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw new IOException("no answer in time");
        }
        return (int) millis;
    }
}
