package io.github.stageproof.qr;

import java.util.Set;

/** The paths that the service knows; also the values of the metrics' label. */
final class Routes {

    static final String PAGE = "/";
    static final String QR = "/qr";
    static final String HEALTH = "/healthz";
    static final String READY = "/readyz";
    static final String VERSION = "/version";
    static final String METRICS = "/metrics";

    static final Set<String> ALL = Set.of(PAGE, QR, HEALTH, READY, VERSION, METRICS);

    private Routes() {
    }
}
