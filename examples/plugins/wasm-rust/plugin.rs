//! A guard with a stamp, in Rust: it refuses forbidden words and tools, and marks the stream's text.
//!
//! Config: {"forbidden": ["word", ...], "forbiddenTools": ["delete_file"], "stamp": " [checked]"}
#![crate_type = "cdylib"]

#[path = "../../../sdk/wasm/rust/bifrost_plugin.rs"]
#[macro_use]
mod bifrost_plugin;

use bifrost_plugin::{host, quote, Answer, Input, Json, Operation};

struct Config {
    forbidden: Vec<String>,
    forbidden_tools: Vec<String>,
    stamp: String,
}

static mut CONFIG: Config = Config { forbidden: Vec::new(), forbidden_tools: Vec::new(), stamp: String::new() };

fn config() -> &'static Config {
    // Written by `init` alone, and calls are one at a time.
    unsafe { &CONFIG }
}

const DESCRIPTION: &str = r#"{"name":"wasm-rust","version":"1.0.0","api":"1.1","guard":true,"hooks":{
    "preLLMHook":{"reads":"messages"},
    "postLLMHook":{"reads":"messages"},
    "streamEventHook":{"onError":"continue"},
    "preMCPHook":{},
    "postMCPHook":{},
    "preMCPConnectionHook":{},
    "postMCPConnectionHook":{},
    "inject":{}
}}"#;

fn words(json: Option<Json>) -> Result<Vec<String>, String> {
    json.map_or(Ok(Vec::new()), |list| {
        list.items()
            .map(|word| word.text().map(|text| text.into_owned()).ok_or_else(|| format!("{} is not a text", word.0)))
            .collect()
    })
}

fn init(json: Json) -> Answer {
    let lists = (words(json.at("config.forbidden")), words(json.at("config.forbiddenTools")));
    match lists {
        (Ok(forbidden), Ok(forbidden_tools)) => {
            let stamp = json.at("config.stamp").and_then(Json::text).unwrap_or_default().into_owned();
            unsafe { CONFIG = Config { forbidden, forbidden_tools, stamp } };
            Answer::Unchanged
        }
        (Err(fault), _) | (_, Err(fault)) => Answer::Failed(format!("in the config: {fault}")),
    }
}

fn forbidden_in(text: &str) -> Option<&'static String> {
    config().forbidden.iter().find(|word| text.contains(word.as_str()))
}

fn denial(word: &str) -> String {
    host::shared_add("denied", 1.0);
    format!(
        r#"{{"error":{{"statusCode":403,"code":"forbidden_word","origin":"plugin","allowFallbacks":false,"message":{}}}}}"#,
        quote(&format!("The word \"{word}\" is forbidden here."))
    )
}

/// The first forbidden word in the text parts of a list of messages or candidates.
fn forbidden_in_parts(list: Json) -> Option<&'static String> {
    list.items()
        .filter_map(|entry| entry.get("parts"))
        .flat_map(|parts| parts.items().collect::<Vec<_>>())
        .filter_map(|part| part.get("text").and_then(Json::text))
        .find_map(|text| forbidden_in(&text))
}

fn check_list(list: Option<Json>) -> Answer {
    list.and_then(forbidden_in_parts).map_or(Answer::Unchanged, |word| Answer::Json(denial(word)))
}

fn stamp_event(event: Json) -> Answer {
    let is_end = event.get("type").and_then(Json::text).as_deref() == Some("text-end");
    let stamp = &config().stamp;
    match event.get("part") {
        Some(part) if is_end && !stamp.is_empty() => Answer::Json(format!(
            r#"[{{"type":"text-delta","part":{},"text":{}}},{}]"#,
            part.0,
            quote(stamp),
            event.0
        )),
        _ => Answer::Unchanged,
    }
}

fn check_tool(request: Json) -> Answer {
    let tool = request.get("tool").and_then(Json::text).unwrap_or_default();
    if !config().forbidden_tools.iter().any(|name| *name == tool) {
        return Answer::Unchanged;
    }
    Answer::Json(format!(
        r#"{{"error":{{"statusCode":403,"code":"forbidden_tool","origin":"plugin","message":{}}}}}"#,
        quote(&format!("The tool \"{tool}\" is forbidden here."))
    ))
}

/// Hides what a tool answered where it holds a forbidden word.
fn check_tool_result(outcome: Json) -> Answer {
    match outcome.get("result").and_then(|result| forbidden_in(result.0)) {
        Some(_) => Answer::Json(r#"{"result":{"content":[{"type":"text","text":"[withheld]"}]}}"#.to_string()),
        None => Answer::Unchanged,
    }
}

fn connect(request: Json) -> Answer {
    match request.get("connectionType").and_then(Json::text).as_deref() {
        Some("stdio") => Answer::Json(
            r#"{"error":{"statusCode":403,"code":"no_stdio","origin":"plugin","message":"No program is started here."}}"#.to_string(),
        ),
        _ => Answer::Json(r#"{"headers":{"x-checked-by":"wasm-rust"}}"#.to_string()),
    }
}

fn report(trace: Json) -> Answer {
    let denied = host::shared_add("denied", 0.0);
    host::log(host::Level::Info, &format!("status {}, {denied} denied so far", trace.get("statusCode").map_or("?", |status| status.0)));
    Answer::Unchanged
}

fn call(operation: Operation, input: &Input) -> Answer {
    let value = input.json.get("input").unwrap_or(Json("null"));
    match operation {
        Operation::Describe => Answer::Json(DESCRIPTION.to_string()),
        Operation::Init => init(input.json),
        Operation::PreLlmHook => check_list(value.at("conversation.messages")),
        Operation::PostLlmHook => check_list(value.at("response.candidates")),
        Operation::StreamEventHook => stamp_event(value),
        Operation::PreMcpHook => check_tool(value),
        Operation::PostMcpHook => check_tool_result(value),
        Operation::PreMcpConnectionHook => connect(value),
        Operation::PostMcpConnectionHook => {
            host::log(host::Level::Info, &format!("connected to {}", value.get("client").map_or("?", |name| name.0)));
            Answer::Unchanged
        }
        Operation::Inject => report(value),
        _ => Answer::Unchanged,
    }
}

bifrost_plugin!(call);
