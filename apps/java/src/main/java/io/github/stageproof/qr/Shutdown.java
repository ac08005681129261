package io.github.stageproof.qr;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;

/**
 * What SIGTERM and SIGINT start: a shutdown hook that drains the service and ends the process with code 0.
 *
 * <p>The JVM ends with 143 after SIGTERM, whatever its hooks do, unless one of them halts it.
 */
final class Shutdown implements Runnable {

    private record Service(ServletWebServerApplicationContext context, Settings settings) {
    }

    private final Readiness readiness = new Readiness();
    private volatile Service service;

    Readiness readiness() {
        return readiness;
    }

    /** Start-up is done. */
    void started(ServletWebServerApplicationContext context, Settings settings) {
        service = new Service(context, settings);
        readiness.ready();
    }

    @Override
    public void run() {
        try {
            if (readiness.drain()) {
                drain(service);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            Runtime.getRuntime().halt(0);
        }
    }

    private static void drain(Service service) throws InterruptedException {
        Logger log = LoggerFactory.getLogger(Shutdown.class);
        Settings settings = service.settings();
        log.info("draining for {} s", settings.drain().toSeconds());
        Thread.sleep(settings.drain());
        log.info("closing");
        if (protocol(service.context()).finish(settings.shutdown())) {
            service.context().close();
        } else {
            log.warn("requests were cut off after {} s", settings.shutdown().toSeconds());
        }
    }

    private static HttpProtocol protocol(ServletWebServerApplicationContext context) {
        var server = (TomcatWebServer) context.getWebServer();
        return (HttpProtocol) server.getTomcat().getConnector().getProtocolHandler();
    }
}
