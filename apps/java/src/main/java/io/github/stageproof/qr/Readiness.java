package io.github.stageproof.qr;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;

/** Where the process stands between its start and its end. */
final class Readiness {

    enum Phase {
        STARTING, READY, DRAINING;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.STARTING);

    Phase phase() {
        return phase.get();
    }

    /** Start-up is done, unless the end has begun meanwhile. */
    void ready() {
        phase.compareAndSet(Phase.STARTING, Phase.READY);
    }

    /** The end begins; true where the service was ready before. */
    boolean drain() {
        return phase.getAndSet(Phase.DRAINING) == Phase.READY;
    }
}
