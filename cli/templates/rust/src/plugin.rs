//! Greets every answer with a header, and refuses models that the configuration forbids.
#![crate_type = "cdylib"]

#[macro_use]
mod bifrost_plugin;

use bifrost_plugin::{host, quote, Answer, Input, Json, Operation};

struct Config {
    greeting: String,
    forbidden: Vec<String>,
}

static mut CONFIG: Config = Config { greeting: String::new(), forbidden: Vec::new() };

fn config() -> &'static Config {
    // Written by `init` alone, and calls are one at a time.
    unsafe { &*std::ptr::addr_of!(CONFIG) }
}

/// Name and version are the manifest's. The options of a hook: `{"reads":"messages"}` shows the conversation, for example.
const DESCRIPTION: &str = r#"{"hooks":{"preLLMHook":{},"httpTransportResponseHeadersHook":{},"inject":{}}}"#;

/// `configSchema` in bifrost-plugin.json has checked the configuration before.
fn init(json: Json) -> Answer {
    let greeting = json.at("config.greeting").and_then(Json::text).map_or("Hello".to_string(), |text| text.into_owned());
    let forbidden = json.at("config.forbiddenModels").map_or(Vec::new(), |list| {
        list.items().filter_map(Json::text).map(|text| text.into_owned()).collect()
    });
    host::log(host::Level::Info, &format!("greets with \"{greeting}\""));
    unsafe { CONFIG = Config { greeting, forbidden } };
    Answer::Unchanged
}

/// A refusal is a result: it has a status for the client, and does not count as an error of the plugin.
fn refuse(request: Json) -> Answer {
    let model = request.get("model").and_then(Json::text).unwrap_or_default();
    if !config().forbidden.iter().any(|name| *name == model) {
        return Answer::Unchanged;
    }
    Answer::Json(format!(
        r#"{{"error":{{"statusCode":403,"code":"model_forbidden","origin":"plugin","allowFallbacks":false,"message":{}}}}}"#,
        quote(&format!("The model \"{model}\" is forbidden here."))
    ))
}

fn call(operation: Operation, input: &Input) -> Answer {
    let value = input.json.get("input").unwrap_or(Json("null"));
    match operation {
        Operation::Describe => Answer::Json(DESCRIPTION.to_string()),
        Operation::Init => init(input.json),
        Operation::PreLlmHook => refuse(value),
        Operation::HttpTransportResponseHeadersHook => {
            Answer::Json(format!(r#"{{"headers":{{"x-__NAME__":{}}}}}"#, quote(&config().greeting)))
        }
        Operation::Inject => {
            let status = value.get("statusCode").map_or("?", |status| status.0);
            host::log(host::Level::Info, &format!("the answer is out, status {status}"));
            Answer::Unchanged
        }
        _ => Answer::Unchanged,
    }
}

bifrost_plugin!(call);
