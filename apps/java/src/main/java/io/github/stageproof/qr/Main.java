package io.github.stageproof.qr;

import org.springframework.boot.SpringApplication;

/** The program: the service, or with the argument {@code healthcheck} its own probe. */
public final class Main {

    private static final int FAILED = 1;
    private static final int MISUSED = 2;

    private Main() {
    }

    public static void main(String[] args) {
        if (args.length == 1 && args[0].equals("healthcheck")) {
            System.exit(SelfProbe.isHealthy(System.getenv()) ? 0 : FAILED);
        }
        // Before anything else, so that SIGTERM ends the process with code 0 during the start as well.
        var shutdown = new Shutdown();
        Runtime.getRuntime().addShutdownHook(new Thread(shutdown, "shutdown"));
        if (args.length > 0) {
            System.err.println("usage: qr.jar [healthcheck]; the configuration is read from the environment");
            Runtime.getRuntime().halt(MISUSED);
        }
        try {
            QrApplication.start(Settings.from(System.getenv()), shutdown);
        } catch (BadSetting e) {
            System.err.println(e.getMessage());
            // Not exit(): that would run the shutdown hook, which is for SIGTERM.
            Runtime.getRuntime().halt(MISUSED);
        } catch (SpringApplication.AbandonedRunException e) {
            // The build only wants to know the beans.
            throw e;
        } catch (RuntimeException | Error e) {
            // Spring has logged the reason.
            Runtime.getRuntime().halt(FAILED);
        }
    }
}
