package io.github.stageproof.qr;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.coyote.Constants;
import org.apache.coyote.Processor;
import org.apache.coyote.Request;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint.NioSocketWrapper;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Tomcat's HTTP/1.1 with two things it lacks: a connection timeout that holds for the whole head of a request (Tomcat's
 * begins anew with each byte), and an end that closes idle connections and waits for the others.
 */
public final class HttpProtocol extends Http11NioProtocol {

    /** Not at once: a busy client gets {@code Connection: close} with its next answer instead. */
    private static final Duration IDLE = Duration.ofMillis(200);
    private static final Duration POLL = Duration.ofMillis(20);

    @Override
    public void start() throws Exception {
        super.start();
        getUtilityExecutor().scheduleWithFixedDelay(() -> close(this::isLate), 1, 1, TimeUnit.SECONDS);
    }

    /** Closes the socket and the idle connections; true when all requests in flight were finished within the limit. */
    boolean finish(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        closeServerSocketGraceful();
        while (!connections().isEmpty() && System.nanoTime() < end) {
            close(HttpProtocol::isIdle);
            Thread.sleep(POLL);
        }
        return connections().isEmpty();
    }

    private Set<SocketWrapperBase<NioChannel>> connections() {
        return getEndpoint().getConnections();
    }

    private void close(Predicate<SocketWrapperBase<NioChannel>> which) {
        // As an event, so that it waits for whatever is going on in the connection.
        connections().stream().filter(which)
                .forEach(connection -> getEndpoint().processSocket(connection, SocketEvent.ERROR, true));
    }

    private boolean isLate(SocketWrapperBase<NioChannel> connection) {
        long deadline = TimeUnit.MILLISECONDS.toNanos(getConnectionTimeout());
        return partialRequest(connection)
                .filter(request -> System.nanoTime() - request.getStartTimeNanos() > deadline)
                .isPresent();
    }

    private static boolean isIdle(SocketWrapperBase<NioChannel> connection) {
        boolean waits = connection.getCurrentProcessor() == null || partialRequest(connection).isPresent();
        return waits && connection instanceof NioSocketWrapper socket
                && System.currentTimeMillis() - socket.getLastRead() > IDLE.toMillis();
    }

    /** The request whose head has arrived in part: its processor sleeps, but stays with the connection. */
    private static Optional<Request> partialRequest(SocketWrapperBase<NioChannel> connection) {
        return Optional.ofNullable((Processor) connection.getCurrentProcessor())
                .map(Processor::getRequest)
                .filter(request -> request.getRequestProcessor().getStage() == Constants.STAGE_ENDED);
    }
}
