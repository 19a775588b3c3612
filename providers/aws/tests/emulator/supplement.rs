//! TEST CODE: calls of AWS that moto does not have, and what its answers leave out.
//!
//! Shapes are those of botocore's service models. What is kept here is kept for all shims of one moto together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::moto::Answer;

/// What was said, by emulator, region and object.
static SAID: Mutex<BTreeMap<(SocketAddr, String, String), Value>> = Mutex::new(BTreeMap::new());

/// One call.
pub(crate) struct Asked<'a> {
    pub moto: SocketAddr,
    pub region: &'a str,
    pub action: &'a str,
    pub body: &'a str,
}

impl Asked<'_> {
    /// A parameter of the query protocol, as it was sent.
    fn parameter(&self, name: &str) -> String {
        let pair = self.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.unwrap_or_default().to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body).unwrap_or_default()
    }

    fn said(&self, object: &str) -> Value {
        let said = SAID.lock().expect("not poisoned");
        said.get(&(self.moto, self.region.to_owned(), object.to_owned())).cloned().unwrap_or_default()
    }

    fn say(&self, object: &str, what: Value) {
        SAID.lock().expect("not poisoned").insert((self.moto, self.region.to_owned(), object.to_owned()), what);
    }

    /// The body as moto reads it: it does not take what is left out for its default.
    pub(crate) fn body(&self) -> String {
        match self.action {
            "PutImageScanningConfiguration" => self
                .body
                .replace("\"imageScanningConfiguration\":{}", "\"imageScanningConfiguration\":{\"scanOnPush\":false}"),
            _ => self.body.to_owned(),
        }
    }

    /// The answer to a call that moto does not have.
    pub(crate) fn answer(&self) -> Option<Answer> {
        match self.action {
            "AddClientIDToOpenIDConnectProvider" | "RemoveClientIDFromOpenIDConnectProvider" => {
                let arn = self.parameter("OpenIDConnectProviderArn");
                let mut clients: BTreeMap<String, bool> = serde_json::from_value(self.said(&arn)).unwrap_or_default();
                clients.insert(self.parameter("ClientID"), self.action.starts_with("Add"));
                self.say(&arn, json!(clients));
                let name = self.action;
                let xml = format!(
                    "<{name}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata><RequestId>1\
                     </RequestId></ResponseMetadata></{name}Response>"
                );
                Some(told("text/xml", xml))
            }
            "AssociateKmsKey" | "DisassociateKmsKey" => {
                let call = self.json();
                let key = call.get("kmsKeyId").cloned().unwrap_or_default();
                self.say(&group(&call["logGroupName"]), json!({ "key": key }));
                Some(told("application/x-amz-json-1.1", "{}".into()))
            }
            _ => None,
        }
    }

    /// An answer of moto's, with what it leaves out.
    pub(crate) fn complete(&self, answer: Answer) -> Answer {
        if !answer.status.is_success() {
            return answer;
        }
        let body = match self.action {
            "CreateOpenIDConnectProvider" | "DeleteOpenIDConnectProvider" => {
                // A provider that is made anew has nothing of an older one.
                let named = self.parameter("Url").replace("https%3A%2F%2F", "");
                let mut said = SAID.lock().expect("not poisoned");
                said.retain(|(moto, _, object), _| {
                    *moto != self.moto
                        || (*object != self.parameter("OpenIDConnectProviderArn")
                            && (named.is_empty() || !object.ends_with(&named)))
                });
                None
            }
            "GetOpenIDConnectProvider" => self.clients(&answer),
            "EnableKeyRotation" => {
                let call = self.json();
                let period = call.get("RotationPeriodInDays").cloned().unwrap_or(json!(365));
                self.say(call["KeyId"].as_str().unwrap_or_default(), period);
                None
            }
            "GetKeyRotationStatus" => {
                json_of(&answer).filter(|told| told["KeyRotationEnabled"] == true).map(|mut told| {
                    told["RotationPeriodInDays"] = self.said(self.json()["KeyId"].as_str().unwrap_or_default());
                    told.to_string()
                })
            }
            "CreateLogGroup" | "DeleteLogGroup" => {
                self.say(&group(&self.json()["logGroupName"]), Value::Null);
                None
            }
            "DescribeLogGroups" => self.keys(&answer),
            read if read.starts_with("GET ") => versioning(&answer),
            _ => None,
        };
        match body {
            Some(body) => Answer { body: Bytes::from(body), ..answer },
            None => answer,
        }
    }

    fn clients(&self, answer: &Answer) -> Option<String> {
        let said: BTreeMap<String, bool> =
            serde_json::from_value(self.said(&self.parameter("OpenIDConnectProviderArn"))).ok()?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let (before, rest) = text.split_once("<ClientIDList>")?;
        let (list, after) = rest.split_once("</ClientIDList>")?;
        let members = list.split("<member>").skip(1).filter_map(|member| member.split('<').next());
        let mut clients: BTreeSet<String> = members.map(str::to_owned).collect();
        for (client, is_there) in said {
            if is_there {
                clients.insert(client);
            } else {
                clients.remove(&client);
            }
        }
        let list: String = clients.iter().map(|client| format!("<member>{client}</member>")).collect();
        Some(format!("{before}<ClientIDList>{list}</ClientIDList>{after}"))
    }

    fn keys(&self, answer: &Answer) -> Option<String> {
        let mut told = json_of(answer)?;
        for found in told["logGroups"].as_array_mut()? {
            let said = self.said(&group(&found["logGroupName"]));
            if let (Some(key), Some(found)) = (said.get("key"), found.as_object_mut()) {
                found.remove("kmsKeyId");
                if key.is_string() {
                    found.insert("kmsKeyId".into(), key.clone());
                }
            }
        }
        Some(told.to_string())
    }
}

/// The body with which S3 is told a bucket's tags that came with its creation: moto reads them nowhere else.
pub(crate) fn tags_of_new_bucket(body: &str) -> Option<String> {
    let tags = body.split_once("<Tags>")?.1.split_once("</Tags>")?.0;
    Some(format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{tags}</TagSet></Tagging>"))
}

/// Whether a bucket has versions: moto calls the document otherwise than S3.
fn versioning(answer: &Answer) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let wrong = "GetBucketVersioningResponse";
    text.contains(wrong).then(|| text.replace(wrong, "VersioningConfiguration"))
}

fn group(name: &Value) -> String {
    format!("group {}", name.as_str().unwrap_or_default())
}

fn json_of(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

/// An answer that went well.
pub(crate) fn told(content_type: &str, body: String) -> Answer {
    let (content_type, request_id) = (content_type.into(), "00000000-0000-0000-0000-000000000002".into());
    Answer { status: StatusCode::OK, content_type, request_id, body: Bytes::from(body) }
}
