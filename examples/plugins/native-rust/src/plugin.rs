//! The plugin itself, in safe Rust: refuses conversations with a forbidden word, puts a header on every answer, stamps every text of a
//! stream, turns the body of whole answers, and counts requests over all threads.

use crate::abi::{Call, Host, Level, HTTP_POST, INJECT, PRE_LLM, PRE_REQUEST, RESPONSE_HEADERS, STREAM_EVENT};
use crate::json::Json;

pub const DESCRIPTION: &str = concat!(
    r#"{"name": "native-rust", "version": "1.0.0", "api": "1.1", "hooks": {"#,
    r#""preRequestHook": {}, "preLLMHook": {"reads": "messages"}, "streamEventHook": {}, "#,
    r#""httpTransportResponseHeadersHook": {}, "httpTransportPostHook": {"reads": "body"}, "inject": {}}}"#,
    "\0"
);

/// One for each serving thread: no locks needed.
pub struct Plugin {
    stamp: String,
    forbidden: Option<String>,
}

/// What a hook answers: nothing for "unchanged".
#[derive(Default)]
pub struct Answer {
    pub json: Option<String>,
    pub body: Option<Vec<u8>>,
}

fn answer(json: impl ToString) -> Result<Answer, String> {
    Ok(Answer { json: Some(json.to_string()), body: None })
}

fn unchanged() -> Result<Answer, String> {
    Ok(Answer::default())
}

fn optional_text(config: &Json, name: &str) -> Result<Option<String>, String> {
    match config.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("config.{name}: expected a string, got {other}")),
    }
}

impl Plugin {
    /// `input` is `{"name", "config"}`. The error names the member that is wrong.
    pub fn create(input: &Json, host: &Host) -> Result<Plugin, String> {
        let config = input.get("config").unwrap_or(&Json::Null);
        let stamp = optional_text(config, "stamp")?.unwrap_or_else(|| "rust1".to_string());
        let forbidden = optional_text(config, "forbiddenWord")?;
        host.log(Level::Info, &format!("native-rust with the stamp {stamp}"), None);
        Ok(Plugin { stamp, forbidden })
    }

    pub fn call(&self, call: &Call) -> Result<Answer, String> {
        let parsed = Json::parse(call.json()).ok_or("the input is not JSON")?;
        let input = parsed.get("input").ok_or("the input is missing")?;
        match call.hook {
            PRE_REQUEST => count(input, call.host()),
            PRE_LLM => self.judge(input),
            STREAM_EVENT => self.stamp_event(input),
            RESPONSE_HEADERS => answer(format!(r#"{{"headers": {{"x-native-rust": {}}}}}"#, Json::Text(self.stamp.clone()))),
            HTTP_POST => append_line(call),
            INJECT => report(input, call.host()),
            other => Err(format!("hook {other} was not named in describe")),
        }
    }

    /// A refusal is a result, not a failure: it has a status for the client and does not count as an error of the plugin.
    fn judge(&self, input: &Json) -> Result<Answer, String> {
        let messages = input.get("conversation").and_then(|conversation| conversation.get("messages"));
        let has_word = |word: &String| messages.map_or(false, |messages| contains_text(messages, word));
        match &self.forbidden {
            Some(word) if has_word(word) => answer(concat!(
                r#"{"error": {"statusCode": 403, "message": "a word in this conversation is not allowed here", "#,
                r#""code": "word_denied", "origin": "plugin", "allowFallbacks": false}}"#
            )),
            _ => unchanged(),
        }
    }

    fn stamp_event(&self, event: &Json) -> Result<Answer, String> {
        let text = event.get("text").and_then(Json::text);
        match (event.get("type").and_then(Json::text), text) {
            (Some("text-delta"), Some(text)) => {
                let stamped = Json::Text(format!("[{}]{text}", self.stamp));
                answer(Json::Array(vec![event.clone().with("text", stamped)]))
            }
            _ => unchanged(),
        }
    }
}

/// Counts over all threads; the host keeps the number.
fn count(input: &Json, host: &Host) -> Result<Answer, String> {
    let reply = host.request(r#"{"op": "shared.add", "key": "requests"}"#).ok_or("the thread is being ended")?;
    let number = Json::parse(&reply).and_then(|reply| reply.get("value").cloned()).unwrap_or(Json::Null);
    let model = input.get("model").cloned().unwrap_or(Json::Null);
    host.log(Level::Info, "a request came in", Some(&format!(r#"{{"count": {number}, "model": {model}}}"#)));
    unchanged()
}

/// True where a text of `value`, however deep, contains `word`.
fn contains_text(value: &Json, word: &str) -> bool {
    match value {
        Json::Text(text) => text.contains(word),
        Json::Array(items) => items.iter().any(|item| contains_text(item, word)),
        Json::Object(members) => members.iter().any(|(_, member)| contains_text(member, word)),
        _ => false,
    }
}

/// The body comes and goes beside the JSON. A line break is put behind it.
fn append_line(call: &Call) -> Result<Answer, String> {
    match call.attachment(0) {
        None => unchanged(),
        Some(body) => Ok(Answer {
            json: Some(r#"{"body": {"$bytes": 0}}"#.to_string()),
            body: Some([body, b"\n"].concat()),
        }),
    }
}

fn report(trace: &Json, host: &Host) -> Result<Answer, String> {
    let status = trace.get("statusCode").cloned().unwrap_or(Json::Null);
    let attempts = trace.get("attempts").map_or(0, |attempts| attempts.items().len());
    host.log(Level::Info, "the answer is out", Some(&format!(r#"{{"status": {status}, "attempts": {attempts}}}"#)));
    unchanged()
}
