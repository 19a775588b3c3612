//! A small HTTPS server on the loopback interface, for registries and mirrors.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An answer of the server.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Body(Vec<u8>),
    /// A status without a body.
    Status(u16),
    Redirect(String),
}

/// What was asked: the path, and the token if one came along.
pub(super) type Request = (String, Option<String>);

/// Serves until it is dropped.
pub(super) struct Web {
    pub(super) address: SocketAddr,
    /// Authorities that vouch for it, as a PEM file.
    pub(super) authority: PathBuf,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// By path; each list is answered from its front, and its last answer stays.
    answers: Mutex<BTreeMap<String, Vec<Answer>>>,
    folder: Mutex<Option<PathBuf>>,
    requests: Mutex<Vec<Request>>,
}

impl Web {
    pub(super) async fn start(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let authority = folder.join(format!("authority-{}.pem", rand_name()));
        std::fs::write(&authority, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        drop(serve(connection, &state).await);
                    }
                });
            }
        });
        Self { address, authority, state, task }
    }

    /// Its host as addresses have it.
    pub(super) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(super) fn answer(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), answers.into_iter().collect());
    }

    pub(super) fn body(&self, path: &str, body: impl AsRef<[u8]>) {
        self.answer(path, [Answer::Body(body.as_ref().to_vec())]);
    }

    /// Serves the files of a folder below the root.
    pub(super) fn folder(&self, folder: &Path) {
        *self.state.folder.lock().unwrap() = Some(folder.to_owned());
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn answer(&self, path: &str) -> Answer {
        if let Some(answers) = self.answers.lock().unwrap().get_mut(path) {
            return if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        }
        let folder = self.folder.lock().unwrap().clone();
        let file = folder.map(|folder| std::fs::read(folder.join(path.trim_start_matches('/'))));
        file.and_then(Result::ok).map_or(Answer::Status(404), Answer::Body)
    }
}

async fn serve(mut connection: impl AsyncRead + AsyncWrite + Unpin, state: &State) -> std::io::Result<()> {
    let head = head(&mut connection).await?;
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    state.requests.lock().unwrap().push((path.clone(), headers.get("authorization").cloned()));
    let (status, extra, body) = match state.answer(&path) {
        Answer::Body(body) => (200, String::new(), body),
        Answer::Status(status) => (status, String::new(), Vec::new()),
        Answer::Redirect(to) => (302, format!("location: {to}\r\n"), Vec::new()),
    };
    // Terraform insists on a type.
    let kind = if path.ends_with(".zip") { "application/zip" } else { "application/json" };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n{extra}\r\n"
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(&body).await?;
    connection.shutdown().await
}

/// Everything up to the empty line.
async fn head(connection: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 64 << 10 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        head.push(connection.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A proxy that joins whom it is asked to join; answers its URL and a list of whom it was asked for.
pub(super) async fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let head = head(&mut client).await?;
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut server = TcpStream::connect(target.replace("localhost", "127.0.0.1")).await?;
                seen.lock().unwrap().push(target);
                client.write_all(b"HTTP/1.1 200 -\r\n\r\n").await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (url, asked)
}

fn rand_name() -> String {
    tempfile::Builder::new().tempfile().unwrap().path().file_name().unwrap().to_string_lossy().into_owned()
}
