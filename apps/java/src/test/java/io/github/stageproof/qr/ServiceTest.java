package io.github.stageproof.qr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;

/** The whole service, asked over HTTP. */
class ServiceTest {

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Shutdown SHUTDOWN = new Shutdown();
    private static ServletWebServerApplicationContext service;

    @BeforeAll
    static void start() {
        Settings defaults = Settings.from(Map.of("APP_VERSION", "1.2.3", "LOG_LEVEL", "error"));
        service = QrApplication.start(
                new Settings(0, defaults.logLevel(), defaults.drain(), defaults.shutdown(), defaults.version(),
                        defaults.commit(), defaults.built(), defaults.unhealthyAfter(), defaults.delay()),
                SHUTDOWN);
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @ParameterizedTest
    @CsvSource({
        "/, text/html;charset=UTF-8, no-store",
        "/qr?text=a, image/svg+xml, 'public, max-age=86400'",
        "/qr?text=a&format=png, image/png, 'public, max-age=86400'",
        "/healthz, application/json, no-store",
        "/readyz, application/json, no-store",
        "/version, application/json, no-store",
        "/metrics, text/plain; version=0.0.4, no-store",
    })
    void eachPathAnswers(String path, String type, String cacheControl) throws Exception {
        var get = send("GET", path, "");
        assertEquals(200, get.statusCode());
        assertEquals(type, header(get, "Content-Type"));
        assertEquals(cacheControl, header(get, "Cache-Control"));
        assertEquals("nosniff", header(get, "X-Content-Type-Options"));
        assertEquals(get.body().length(), Integer.parseInt(header(get, "Content-Length")));
        var head = send("HEAD", path, "");
        assertEquals(200, head.statusCode());
        assertEquals(type, header(head, "Content-Type"));
        assertEquals("", head.body());
    }

    @Test
    void theServiceNamesItself() throws Exception {
        assertEquals("""
                {"stack":"java","version":"1.2.3","commit":"unknown","built":"unknown","runtime":"Java %s"}"""
                .formatted(System.getProperty("java.version")), send("GET", "/version", "").body());
    }

    @ParameterizedTest
    @CsvSource({
        "'', text",
        "text=, text",
        "text=%ff, text",
        "text=a&text=b, text",
        "text=a&format=gif, format",
        "text=a&scale=0, scale",
        "text=a&scale=21, scale",
        "text=a&scale=%2B5, scale",
    })
    void aBadParameterIsNamed(String query, String field) throws Exception {
        var answer = send("GET", "/qr?" + query, "");
        assertProblem(answer, 400, "invalid-parameter");
        assertTrue(answer.body().contains("\"field\":\"" + field + "\""), answer.body());
    }

    @Test
    void aTextOf1025BytesIsTooLong() throws Exception {
        assertEquals(200, send("GET", "/qr?text=" + "%C3%A9".repeat(512), "").statusCode());
        assertProblem(send("GET", "/qr?text=" + "%C3%A9".repeat(512) + "a", ""), 400, "invalid-parameter");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nope", "/qr/", "/QR", "/qr;a=b", "//qr", "/%2Fqr", "/%ff", "/a%00b", "/a%5Cb", "/error"})
    void anUnknownPathIsNotFound(String path) throws Exception {
        assertProblem(send("GET", path, ""), 404, "not-found");
        assertProblem(send("POST", path, ""), 404, "not-found");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"})
    void anotherMethodIsRefused(String method) throws Exception {
        var answer = send(method, "/qr?text=a", "");
        assertProblem(answer, 405, "method-not-allowed");
        assertEquals("GET, HEAD", header(answer, "Allow"));
    }

    @Test
    void connectIsRefusedLikeAnyOtherMethod() throws Exception {
        assertTrue(raw("CONNECT /qr HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startsWith("HTTP/1.1 405 "));
    }

    @Test
    void whatIsNotHttpGetsABareAnswer() throws Exception {
        String answer = raw("GET / HTTP/1.1\r\n\r\n");
        assertTrue(answer.startsWith("HTTP/1.1 400 "), answer);
        assertTrue(answer.endsWith("\r\n\r\n"), answer);
    }

    @Test
    void aLongBodyIsRefusedBeforeItIsSent() throws Exception {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            var head = "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            var start = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
            assertEquals("HTTP/1.1 413", start);
        }
    }

    @Test
    void aBodyOfUnknownLengthIsCounted() throws Exception {
        assertProblem(sendInChunks("/qr?text=a", 65_537), 413, "content-too-large");
        assertEquals(405, sendInChunks("/qr?text=a", 65_536).statusCode());
    }

    @Test
    void requestsAreCountedByRoute() throws Exception {
        send("GET", "/made-up-" + System.nanoTime(), "");
        String counter = "http_requests_total{method=\"GET\",path=\"other\",status=\"404\"}";
        double before = metric(counter);
        send("GET", "/made-up-" + System.nanoTime(), "");
        assertEquals(before + 1, metric(counter));
        assertTrue(metric("http_request_duration_seconds_bucket{method=\"GET\",path=\"other\",le=\"+Inf\"}") >= 2);
        assertFalse(send("GET", "/metrics", "").body().contains("made-up"));
    }

    @Test
    void theProbeSeesTheService() {
        assertTrue(SelfProbe.isHealthy(Map.of("PORT", String.valueOf(port()))));
        assertFalse(SelfProbe.isHealthy(Map.of("PORT", "1")));
        assertFalse(SelfProbe.isHealthy(Map.of("PORT", "none")));
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String type) {
        assertEquals(status, answer.statusCode());
        assertEquals("application/problem+json", header(answer, "Content-Type"));
        assertEquals("no-store", header(answer, "Cache-Control"));
        assertTrue(answer.body().startsWith("{\"type\":\"urn:stageproof:problem:" + type + "\""), answer.body());
        assertTrue(answer.body().contains("\"status\":" + status), answer.body());
    }

    private static double metric(String name) throws Exception {
        var line = Pattern.compile("^" + Pattern.quote(name) + " (\\S+)$", Pattern.MULTILINE)
                .matcher(send("GET", "/metrics", "").body());
        assertTrue(line.find(), name);
        return Double.parseDouble(line.group(1));
    }

    private static String header(HttpResponse<String> answer, String name) {
        return answer.headers().firstValue(name).orElse("");
    }

    private static HttpResponse<String> send(String method, String path, String body) throws Exception {
        return send(HttpRequest.newBuilder(uri(path)).method(method, BodyPublishers.ofString(body)).build());
    }

    private static HttpResponse<String> sendInChunks(String path, int bytes) throws Exception {
        var body = BodyPublishers.fromPublisher(BodyPublishers.ofByteArray(new byte[bytes]));
        return send(HttpRequest.newBuilder(uri(path)).POST(body).build());
    }

    private static HttpResponse<String> send(HttpRequest request) throws Exception {
        return CLIENT.send(request, BodyHandlers.ofString(StandardCharsets.ISO_8859_1));
    }

    private static String raw(String request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    private static int port() {
        return service.getWebServer().getPort();
    }
}
