//! An HTTP server on the loopback, whose answers a test sets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers one request after another, until the test ends.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Answers the request of this number (from 1) with a status and a body.
    pub(super) fn new(answer: impl Fn(usize) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let (status, body) = answer(counter.fetch_add(1, Ordering::SeqCst) + 1);
                let length = body.len();
                // Whoever left does not want the answer.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} Told\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { address, asked }
    }

    /// Always the same status.
    pub(super) fn always(status: u16) -> Self {
        Self::new(move |_| (status, format!("told {status}")))
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/health", self.address)
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
