//! Requests to `bspm serve`: the response to any path, query and body is JSON, and its status is not a
//! server error.
#![no_main]

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Uri, header};
use bspm::{BspmConfig, CpuBackend, Dataset, Model};
use bspm_server::{EventOptions, ModelFile, ModelOptions, Models, ServerOptions, router};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const PATHS: [&str; 6] = [
    "/recommend",
    "/explain",
    "/score",
    "/similar",
    "/items",
    "/events",
];

static SERVICE: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let pairs = (0..20).flat_map(|user| {
        (0..4).map(move |step| {
            (
                format!("u{user}"),
                format!("i{}", (user + step * step) % 12),
            )
        })
    });
    let dataset: Dataset<String, String> = Dataset::from_pairs(pairs).unwrap();
    let config = BspmConfig::builder()
        .ideal_low_pass(3, 0.3)
        .build()
        .unwrap();
    let model = Model::fit(CpuBackend::new(), dataset, config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.bspm");
    model.save(&path).unwrap();
    let mut models = ModelOptions::new([ModelFile::new(path)]);
    models.copy = true;
    models.events = Some(EventOptions::new(folder.path().join("events")));
    let models = Models::open(&models).unwrap();
    let mut options = ServerOptions::new(([127, 0, 0, 1], 0).into());
    options.workers = 1;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    (runtime, router(Arc::new(models), &options))
});

fuzz_target!(|bytes: &[u8]| {
    let [kind, rest @ ..] = bytes else { return };
    let path = PATHS[usize::from(*kind) % PATHS.len()];
    let request = match kind / 128 {
        0 => {
            let address = [path.as_bytes(), b"?", rest].concat();
            let Ok(address) = Uri::try_from(address) else {
                return;
            };
            Request::builder().uri(address).body(Body::empty())
        }
        _ => Request::builder()
            .uri(path)
            .method(Method::POST)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(rest.to_vec())),
    };
    let (runtime, router) = &*SERVICE;
    let (status, body) = runtime.block_on(async {
        let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        (
            status,
            to_bytes(answer.into_body(), usize::MAX).await.unwrap(),
        )
    });
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body:?}");
    serde_json::from_slice::<serde_json::Value>(&body).unwrap();
});
