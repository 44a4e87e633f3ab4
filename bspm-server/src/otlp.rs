//! Spans of requests, exported over OTLP.

use std::time::{Duration, SystemTime};

use axum::extract::Request;
use axum::http::Method;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{
    Bytes, HeaderExtractor, HttpClient, HttpError, Request as Sent, Response,
};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::error::ServerError;

/// Exports a span of each request over OTLP (protocol buffers over HTTP).
///
/// The span continues the trace of the request if it has a `traceparent` header (W3C Trace Context). It has
/// the attributes `http.request.method`, `http.route`, `http.response.status_code` and `bspm.request_id`.
/// A thread exports the spans in the background, so that no request waits for the collector.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// Exports the remaining spans when the last copy is dropped.
    tracer: SdkTracer,
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
    /// `bspm`), `OTEL_TRACES_SAMPLER` and others. The collector must accept HTTP without TLS.
    ///
    /// # Errors
    ///
    /// [`ServerError::Otlp`] for an invalid endpoint.
    pub fn from_environment() -> Result<Self, ServerError> {
        let exporter = SpanExporter::builder().with_http();
        let exporter = exporter.with_http_client(Client::new()).build()?;
        let resource = Resource::builder();
        let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
            Some(_) => resource,
            None => resource.with_service_name("bspm"),
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        let tracer = provider.tracer("bspm-server");
        Ok(Self { tracer })
    }

    /// Exports the span of a finished request.
    pub(super) fn export(
        &self,
        request: Traced,
        route: &str,
        status: u16,
        request_id: &str,
        time: Duration,
    ) {
        let Traced {
            method,
            parent,
            start,
        } = request;
        let attributes = [
            KeyValue::new("http.request.method", method.to_string()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status)),
            KeyValue::new("bspm.request_id", request_id.to_owned()),
        ];
        let mut span = self
            .tracer
            .span_builder(format!("{method} {route}"))
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
