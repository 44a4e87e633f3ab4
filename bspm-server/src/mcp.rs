//! The Model Context Protocol: the requests of the routes as tools for assistants, over standard input and
//! output or over HTTP.

use std::io;
use std::sync::{Arc, LazyLock};

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer, ServerInitializeError, ServiceExt};
use rmcp::transport::stdio;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answers::{Answered, Answers, JsonText, ModelQuery};
use super::error::{Failure, ServerError};
use super::items::ItemsQuery;
use super::models::ModelOptions;
use super::queue::Queue;
use super::request_ids::AnswerIds;
use super::requests::{Explain, Recommend, SimilarQuery};
use super::{ServerOptions, watch, with_models};

/// The names, descriptions and arguments of the tools.
static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("mcp/tools.json")).expect("a test parses the file")
});

/// What a client shows to an assistant about the tools.
const INSTRUCTIONS: &str = "Recommendations of a fitted model. Users and items have ids: find the id of an \
    item by its title with search. Lists have titles if the model has them.";

/// The tools of a model.
#[derive(Clone)]
pub(super) struct Tools {
    answers: Answers,
    ids: Arc<AnswerIds>,
}

/// Converts the arguments of a tool to the request of a route. Errors start with the name of the argument.
fn request<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Failure> {
    serde_path_to_error::deserialize(Value::Object(arguments))
        .map_err(|error| Failure::refused(&error.to_string()))
}

impl Tools {
    /// Answers a call like the routes do. Errors of a request are results, so that the assistant can read
    /// them. Returns `None` if there is no tool of this name.
    async fn answer(&self, tool: &str, arguments: JsonObject) -> Option<Answered> {
        let (answers, ids) = (&self.answers, self.ids.next());
        Some(match tool {
            "recommend" => match request::<Recommend>(arguments) {
                Ok(request) => answers.recommend(request, &ids).await,
                Err(failure) => Err(failure),
            },
            "similar" => match request::<SimilarQuery>(arguments) {
                Ok(request) => answers.similar(request, &ids).await,
                Err(failure) => Err(failure),
            },
            "explain" => match request::<Explain>(arguments) {
                Ok(request) => answers.explain(request).await,
                Err(failure) => Err(failure),
            },
            "search" => match request::<ItemsQuery>(arguments) {
                Ok(request) => answers.items(request).await,
                Err(failure) => Err(failure),
            },
            "describe" => match request::<ModelQuery>(arguments) {
                Ok(request) => answers.describe(request).await,
                Err(failure) => Err(failure),
            },
            _ => return None,
        })
    }

    async fn call(&self, tool: &str, arguments: JsonObject) -> Result<CallToolResult, ErrorData> {
        let answer = self.answer(tool, arguments).await;
        let answer = answer
            .ok_or_else(|| ErrorData::invalid_params(format!("unknown tool: {tool}"), None))?;
        match answer {
            Ok(JsonText { text, .. }) => Ok(CallToolResult::structured(
                serde_json::from_str(&text).map_err(internal)?,
            )),
            Err(failure) => {
                let text = ContentBlock::text(failure.message());
                Ok(CallToolResult::error(vec![text]))
            }
        }
    }
}

fn internal(error: serde_json::Error) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("bspm", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(TOOLS.clone()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        Ok(self.call(&request.name, arguments).await?.into())
    }
}

/// Returns the service of `/mcp`: streamable HTTP without sessions, with JSON responses.
///
/// The server checks the host and the key before. Requests of web pages are rejected.
pub(super) fn service(
    answers: Answers,
    ids: Arc<AnswerIds>,
) -> StreamableHttpService<Tools, NeverSessionManager> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts()
        .enforce_origin_validation();
    let tools = Tools { answers, ids };
    StreamableHttpService::new(move || Ok(tools.clone()), Arc::default(), config)
}

/// Serves the tools of these models over standard input and output, until the input ends.
///
/// Requests are answered by `workers` threads with a queue of the length `queue`; the other options have no
/// effect. The model is reloaded when its file is replaced.
///
/// # Errors
///
/// [`ServerError`] if the model cannot be opened, or if the input is not a conversation of the protocol.
pub fn serve_mcp(models: ModelOptions, options: &ServerOptions) -> Result<(), ServerError> {
    with_models(models, async |models, mut end, reloads| {
        watch(&models, reloads);
        let tools = Tools {
            answers: Answers {
                models,
                queue: Queue::new(options.workers, options.queue, options.batch_invariant),
            },
            ids: Arc::default(),
        };
        let conversation = async {
            match tools.serve(stdio()).await {
                Ok(service) => service
                    .waiting()
                    .await
                    .map(drop)
                    .map_err(|it| it.to_string()),
                // The client has left before the first request.
                Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        };
        tokio::select! {
            () = &mut end => Ok(()),
            ended = conversation => {
                ended.map_err(|error| ServerError::Runtime(io::Error::other(error)))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_have_the_arguments_of_their_requests() {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(
            names,
            ["recommend", "similar", "explain", "search", "describe"]
        );
        let examples = serde_json::json!({
            "user": "ann", "item": "tea", "history": ["tea", {"item": "milk", "weight": -1}], "k": 5,
            "where": "price < 3", "deny": ["salt"], "search": "te", "columns": true,
        });
        let check = |tool: &str, arguments: JsonObject| match tool {
            "recommend" => request::<Recommend>(arguments).map(drop),
            "similar" => request::<SimilarQuery>(arguments).map(drop),
            "explain" => request::<Explain>(arguments).map(drop),
            "search" => request::<ItemsQuery>(arguments).map(drop),
            _ => request::<ModelQuery>(arguments).map(drop),
        };
        for tool in TOOLS.iter() {
            assert_eq!(tool.input_schema["type"], "object");
            let properties = tool.input_schema["properties"].as_object().unwrap();
            let arguments = properties.keys().map(|name| {
                assert!(properties[name]["description"].is_string(), "{name}");
                (name.clone(), examples[name].clone())
            });
            let mut arguments: JsonObject = arguments.collect();
            check(&tool.name, arguments.clone()).unwrap();
            arguments.insert("colour".into(), "red".into());
            let failure = check(&tool.name, arguments).unwrap_err().message();
            assert!(failure.contains("unknown field `colour`"), "{failure}");
        }
        let arguments = serde_json::json!({"user": "ann", "k": "five"});
        let failure = request::<Recommend>(arguments.as_object().unwrap().clone());
        let message = failure.unwrap_err().message();
        assert_eq!(
            message,
            "k: invalid type: string \"five\", expected a whole number"
        );
    }
}
