//! Spans of requests, exported over OTLP.

use std::time::{Duration, SystemTime};

use axum::extract::Request;
use axum::http::Method;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_http::{
    Bytes, HeaderExtractor, HttpClient, HttpError, Request as Sent, Response,
};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::error::ServerError;

/// Exports a span of each answered request over OTLP (protocol buffers over HTTP).
///
/// The span continues the trace of the request if it has a `traceparent` header (W3C Trace Context). It has
/// the attributes `http.request.method`, `http.route`, `http.response.status_code` and `bspm.request_id`.
/// [`serve`](crate::serve) exports the spans that wait before it returns. A thread exports the spans in the background, so that no request waits for the collector.
#[derive(Clone, Debug)]
pub struct Otlp {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

/// The start of a request.
pub(super) struct Traced {
    method: Method,
    /// The trace that the headers name.
    parent: Context,
    start: SystemTime,
}

impl Traced {
    pub(super) fn new(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            parent: TraceContextPropagator::new().extract(&HeaderExtractor(request.headers())),
            start: SystemTime::now(),
        }
    }
}

impl Otlp {
    /// Starts an exporter with the settings of the OpenTelemetry specification:
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` (default: `http://localhost:4318`), `OTEL_SERVICE_NAME` (default:
    /// `bspm`), `OTEL_TRACES_SAMPLER` and others. The collector must accept HTTP without TLS. An export may
    /// take 10 seconds.
    ///
    /// # Errors
    ///
    /// [`ServerError::Otlp`] for an invalid endpoint; [`ServerError::OtlpWithTls`] for one with TLS.
    pub fn from_environment() -> Result<Self, ServerError> {
        for name in [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ] {
            match std::env::var(name) {
                Ok(value) if value.starts_with("https:") => {
                    return Err(ServerError::OtlpWithTls { name, value });
                }
                _ => {}
            }
        }
        let exporter = SpanExporter::builder().with_http();
        let exporter = exporter.with_http_client(Client::new()).build()?;
        let resource = Resource::builder().build();
        let name = resource.get(&Key::from_static_str("service.name"));
        let resource = match name {
            Some(name) if !name.as_str().starts_with("unknown_service") => resource,
            _ => Resource::builder().with_service_name("bspm").build(),
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        let tracer = provider.tracer("bspm-server");
        Ok(Self { tracer, provider })
    }

    /// Exports the spans that wait.
    pub(super) fn flush(&self) {
        if let Err(error) = self.provider.force_flush() {
            tracing::warn!("spans were not exported: {error}");
        }
    }

    /// Exports the span of a finished request.
    pub(super) fn export(
        &self,
        request: Traced,
        route: Option<&str>,
        status: u16,
        request_id: &str,
        time: Duration,
    ) {
        let Traced {
            method,
            parent,
            start,
        } = request;
        let method = known(&method);
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.response.status_code", i64::from(status)),
            KeyValue::new("bspm.request_id", request_id.to_owned()),
        ];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
        let name = match route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        };
        let mut span = self
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_start_time(start)
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &parent);
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(start + time);
    }
}

/// Returns the name of a method, or `_OTHER`, as the OpenTelemetry specification says: a client can send any
/// text as a method.
fn known(method: &Method) -> &'static str {
    let all = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    let known = all.into_iter().find(|name| *name == method.as_str());
    known.unwrap_or("_OTHER")
}

/// Sends spans to the collector, on the thread of the exporter.
#[derive(Debug)]
struct Client(ureq::Agent);

/// The time limit of an export.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false);
        Self(config.build().into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Sent<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let sent = self.0.run(Sent::from_parts(parts, body.to_vec()))?;
        let (parts, mut body) = sent.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}
