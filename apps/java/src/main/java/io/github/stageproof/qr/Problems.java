package io.github.stageproof.qr;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Turns what the controllers throw for the client's sake into answers. */
@RestControllerAdvice
final class Problems {

    @ExceptionHandler
    void invalidParameter(InvalidParameter e, HttpServletResponse response) throws IOException {
        Problem.invalidParameter(e).write(response);
    }
}
