package io.github.stageproof.qr;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import org.apache.tomcat.util.buf.EncodedSolidusHandling;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.boot.webmvc.autoconfigure.error.ErrorMvcAutoConfiguration;
import org.springframework.context.annotation.Bean;

/** How the parts are put together. There is no error page: {@link Gate} and {@link ProblemValve} answer errors. */
@SpringBootApplication(exclude = ErrorMvcAutoConfiguration.class, proxyBeanMethods = false)
class QrApplication {

    /** Starts the service; returns when it answers. */
    static ServletWebServerApplicationContext start(Settings settings, Shutdown shutdown) {
        var application = new SpringApplication(QrApplication.class);
        application.setRegisterShutdownHook(false);
        application.setDefaultProperties(Map.of("logging.level.root", logLevel(settings)));
        application.addInitializers(context -> {
            context.getBeanFactory().registerSingleton("settings", settings);
            context.getBeanFactory().registerSingleton("readiness", shutdown.readiness());
        });
        var context = (ServletWebServerApplicationContext) application.run();
        shutdown.started(context, settings);
        return context;
    }

    private static String logLevel(Settings settings) {
        return settings.logLevel().equals("warning") ? "warn" : settings.logLevel();
    }

    @Bean
    PrometheusMeterRegistry registry() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    }

    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> server(Settings settings, RequestRecorder recorder) {
        return factory -> {
            factory.setPort(settings.port());
            factory.setProtocol(HttpProtocol.class.getName());
            factory.addConnectorCustomizers(connector -> {
                // Left to the gate, which answers them like every other method and path.
                connector.setAllowTrace(true);
                connector.setEncodedSolidusHandling(EncodedSolidusHandling.PASS_THROUGH.getValue());
            });
            factory.addContextCustomizers(
                    context -> context.getParent().getPipeline().addValve(new ProblemValve(recorder)));
        };
    }
}
