//! The emulator of AWS: moto, of the Python environment that `FORMWORK_TEST_MOTO` names. `.ci/moto` makes one.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;

/// Ends with the process that started it, whose end of the pipe closes then.
const SERVE: &str = r#"
import os, sys, threading
from moto.server import main
def wait():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=wait, daemon=True).start()
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"#;

/// An emulator, which ends with this.
pub(crate) struct Moto {
    pub address: SocketAddr,
    /// Its standard input ends it when this process ends.
    _child: Child,
}

/// One emulator for all tests of this process; tests keep apart by region. `None`, and a line that says so, where there is
/// no emulator.
pub(crate) fn moto() -> Option<&'static Moto> {
    static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
    MOTO.get_or_init(start).as_ref()
}

/// An emulator that nobody else calls. `None` as above.
#[expect(clippy::print_stdout, reason = "a skip is printed, and counted")]
pub(crate) fn start() -> Option<Moto> {
    let Some(python) = std::env::var_os("FORMWORK_TEST_MOTO").map(PathBuf::from) else {
        println!("skipped: FORMWORK_TEST_MOTO is not set, so that there is no AWS to test against; see .ci/moto");
        assert!(std::env::var_os("FORMWORK_REQUIRE_PEERS").is_none(), "there is no emulator of AWS");
        return None;
    };
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let mut child = Command::new(&python)
        .args(["-c", SERVE, &address.port().to_string()])
        .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        // What AWS refuses: images, kinds of machines and keys that are not there.
        .env("MOTO_ENABLE_AMI_VALIDATION", "true")
        .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true")
        .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("`{}` does not start: {error}", python.display()));
    for _ in 0..600 {
        if TcpStream::connect(address).is_ok() {
            return Some(Moto { address, _child: child });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let ended = child.kill().and_then(|()| child.wait());
    panic!("`{}` does not serve moto: {ended:?}", python.display());
}

/// What moto answered.
#[derive(Clone)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub request_id: String,
    pub body: Bytes,
}

/// Passes a request on and answers what moto says.
pub(crate) async fn forward(address: SocketAddr, request: Request<Full<Bytes>>) -> std::io::Result<Answer> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
    // It ends when the sender is dropped and the answer is read.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(std::io::Error::other)?;
    let status = answer.status();
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (content_type, request_id) = (header("content-type"), header("x-amzn-requestid"));
    let body = answer.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
    Ok(Answer { status, content_type, request_id, body })
}

impl Moto {
    /// A call of EC2 behind the provider's back, as somebody else would make it; answers the XML.
    pub(crate) async fn ec2(&self, region: &str, action: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        self.query("ec2", "2016-11-15", region, action, parameters).await
    }

    /// The same of IAM.
    pub(crate) async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        self.query("iam", "2010-05-08", "us-east-1", action, parameters).await
    }

    async fn query(
        &self,
        service: &str,
        version: &str,
        region: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, String> {
        let mut all = BTreeMap::from([("Action", action), ("Version", version)]);
        all.extend(parameters.iter().copied());
        let body = all.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&");
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        self.send(service, region, request, body, action).await
    }

    /// A call of a service that speaks JSON, such as `Logs_20140328.DeleteLogGroup`; answers the JSON.
    pub(crate) async fn json(
        &self,
        service: &str,
        region: &str,
        target: &str,
        body: serde_json::Value,
    ) -> Result<String, String> {
        let request =
            Request::post("/").header("content-type", "application/x-amz-json-1.1").header("x-amz-target", target);
        self.send(service, region, request, body.to_string(), target).await
    }

    /// A call of S3, such as `DELETE /bucket`; answers the XML.
    pub(crate) async fn s3(&self, region: &str, method: &str, path: &str, body: &str) -> Result<String, String> {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/xml");
        self.send("s3", region, request, body.to_owned(), path).await
    }

    async fn send(
        &self,
        service: &str,
        region: &str,
        request: hyper::http::request::Builder,
        body: String,
        action: &str,
    ) -> Result<String, String> {
        let scope = format!("test/20260101/{region}/{service}/aws4_request");
        let request = request
            .header("host", format!("{service}.{region}.amazonaws.com"))
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let answer = forward(self.address, request).await.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status.is_success() { Ok(text) } else { Err(format!("{action}: {text}")) }
    }
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
        escaped
    })
}
