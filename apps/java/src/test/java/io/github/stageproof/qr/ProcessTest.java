package io.github.stageproof.qr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The program as a process of its own: how it starts, what it prints, how it ends. */
class ProcessTest {

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final int port = freePort();
    private Process process;

    @AfterEach
    void end() {
        process.destroyForcibly();
    }

    @Test
    void aBadPortEndsTheStartWithCode2AndOneLine() throws Exception {
        start(Map.of("PORT", "abc"));
        assertEquals(2, exitCode());
        assertEquals(
                List.of("PORT: \"abc\" is not a whole number from 1 to 65535"), process.errorReader().lines().toList());
        assertEquals(0, process.inputReader().lines().count());
    }

    @Test
    void aPortInUseEndsTheStartWithCode1() throws Exception {
        try (var taken = new ServerSocket(port)) {
            start(Map.of("PORT", String.valueOf(taken.getLocalPort())));
            assertEquals(1, exitCode());
        }
    }

    @Test
    void sigtermDuringTheStartEndsWithCode0() throws Exception {
        start(Map.of("PORT", String.valueOf(port)));
        // The first line comes long before the socket is open.
        process.inputReader().readLine();
        terminate();
        assertEquals(0, exitCode());
    }

    @Test
    void sigtermFinishesTheRequestInFlight() throws Exception {
        start(Map.of("PORT", String.valueOf(port), "DRAIN_SECONDS", "1", "CHAOS_DELAY", "3"));
        awaitStatus("/readyz", 200);
        var idle = new Socket(InetAddress.getLoopbackAddress(), port);
        var inFlight = CLIENT.sendAsync(request("/qr?text=a"), BodyHandlers.ofString());
        terminate();
        awaitStatus("/readyz", 503);
        assertEquals(200, get("/healthz").statusCode());
        assertEquals(-1, idle.getInputStream().read());
        assertEquals(200, inFlight.get(LIMIT.toSeconds(), TimeUnit.SECONDS).statusCode());
        assertEquals(0, exitCode());
    }

    @Test
    void aRequestThatTakesTooLongIsCutOff() throws Exception {
        start(Map.of("PORT", String.valueOf(port), "SHUTDOWN_SECONDS", "1", "CHAOS_DELAY", "600"));
        awaitStatus("/readyz", 200);
        try (var slow = new Socket(InetAddress.getLoopbackAddress(), port)) {
            slow.getOutputStream().write(
                    "GET /qr?text=a HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            terminate();
            assertEquals(0, exitCode());
            assertEquals(-1, slow.getInputStream().read());
        }
        assertTrue(process.inputReader().lines().anyMatch(line -> line.contains("requests were cut off after 1 s")));
    }

    @Test
    void aHeadThatDripsIsClosed() throws Exception {
        start(Map.of("PORT", String.valueOf(port)), "-Dserver.tomcat.connection-timeout=2s");
        awaitStatus("/readyz", 200);
        try (var slow = new Socket(InetAddress.getLoopbackAddress(), port)) {
            slow.setSoTimeout(100);
            slow.getOutputStream().write("GET / HTTP/1.1\r\nX: ".getBytes(StandardCharsets.US_ASCII));
            assertTrue(closesWhileDripping(slow));
        }
    }

    @Test
    void theHealthFailsWhenToldTo() throws Exception {
        start(Map.of("PORT", String.valueOf(port), "CHAOS_UNHEALTHY_AFTER", "0"));
        awaitStatus("/readyz", 200);
        var answer = get("/healthz");
        assertEquals(503, answer.statusCode());
        assertEquals("{\"status\":\"failing\"}", answer.body());
    }

    @Test
    void requestsAreLoggedAsJsonButHealthIsNot() throws Exception {
        start(Map.of("PORT", String.valueOf(port), "DRAIN_SECONDS", "0"));
        awaitStatus("/readyz", 200);
        get("/healthz");
        get("/version?secret=1");
        terminate();
        assertEquals(0, exitCode());
        List<String> lines = process.inputReader().lines().toList();
        assertTrue(lines.stream().allMatch(line -> line.matches(
                "\\{\"time\":\"[^\"]+Z\",\"level\":\"(info|warning)\",\"message\":\".*\"}")), lines.toString());
        assertEquals(1, lines.stream().filter(line -> line.contains(
                "\"method\":\"GET\",\"path\":\"/version\",\"status\":200,\"duration_ms\":")).count(), lines.toString());
        assertTrue(
                lines.stream().noneMatch(line -> line.matches(".*(healthz|secret).*")), lines.toString());
    }

    private void start(Map<String, String> environment, String... options) throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        // One compiler is enough for seconds.
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
        command.add(Main.class.getName());
        var builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().putAll(environment);
        process = builder.start();
    }

    /** SIGTERM; the process's own method would also close its output. */
    private void terminate() {
        process.toHandle().destroy();
    }

    private int exitCode() throws InterruptedException {
        assertTrue(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS), "the process did not end");
        return process.exitValue();
    }

    private void awaitStatus(String path, int status) throws Exception {
        await(() -> get(path).statusCode() == status);
    }

    private interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private static void await(Condition condition) throws InterruptedException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!holds(condition)) {
            assertTrue(System.nanoTime() < end, "the condition did not come true");
            Thread.sleep(20);
        }
    }

    private static boolean holds(Condition condition) throws InterruptedException {
        try {
            return condition.holds();
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean closesWhileDripping(Socket socket) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (System.nanoTime() < end) {
            try {
                socket.getOutputStream().write('a');
                if (socket.getInputStream().read() < 0) {
                    return true;
                }
            } catch (SocketTimeoutException e) {
                continue;
            } catch (IOException e) {
                return true;
            }
        }
        return false;
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return CLIENT.send(request(path), BodyHandlers.ofString());
    }

    private HttpRequest request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
