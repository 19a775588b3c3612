//! One host: its connection, opened when it is first wanted, and what is asked of it, gathered into few round trips.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::Diagnostic;
use tokio::sync::{Semaphore, oneshot};

use crate::fleet::Fleet;
use crate::settings::Connection;
use crate::shell::answer::{Answer, parse};
use crate::shell::{command, program};
use crate::transport::{Broken, Exchange, Line, Payload, Session, Stream};

/// How many programs run on a host at once. An sshd takes ten sessions where it is not told otherwise.
const AT_ONCE: usize = 8;

/// A host of the fleet.
pub(crate) struct Machine {
    connection: Arc<Connection>,
    line: tokio::sync::Mutex<Option<Arc<Line>>>,
    running: Semaphore,
    /// Asked and not sent yet.
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
    /// Held from the first byte of an artifact that is brought here to the end of the change that needs it: what is
    /// taken by one change is not gone for another, and the line is theirs to share.
    pub loading: tokio::sync::Mutex<()>,
    pub traffic: Traffic,
}

/// What went over the line in this run.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub connections: AtomicU64,
    pub round_trips: AtomicU64,
}

/// What is asked about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The functions that it needs.
    pub shell: &'static str,
    /// The function of sh to call, and what to tell it.
    pub words: Vec<String>,
    /// Where the object's mark of ownership stands in the ledger; empty where it has none.
    pub entry: String,
}

/// A connection that is being opened; it may go through others, which are opened in the same way.
type Opening<'a> = Pin<Box<dyn Future<Output = Result<Option<Arc<Session>>, Box<Diagnostic>>> + Send + 'a>>;

type Answered = Result<Answer, Box<Diagnostic>>;

struct Waiting {
    question: Question,
    reply: oneshot::Sender<Answered>,
}

impl Machine {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            line: tokio::sync::Mutex::default(),
            running: Semaphore::new(AT_ONCE),
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            traffic: Traffic::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// Asks questions. What others ask while the line is busy goes along with the next round trip.
    pub(crate) async fn ask(self: &Arc<Self>, fleet: &Arc<Fleet>, questions: Vec<Question>) -> Vec<Answered> {
        let mut replies = Vec::with_capacity(questions.len());
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for question in questions {
                let (reply, answer) = oneshot::channel();
                waiting.push(Waiting { question, reply });
                replies.push(answer);
            }
        }
        let (machine, fleet) = (Arc::clone(self), Arc::clone(fleet));
        // On its own: whoever gives up does not take the answers of the others along.
        tokio::spawn(async move { machine.take_turn(&fleet).await });
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            answers.push(reply.await.unwrap_or_else(|_| Err(Box::new(self.silent()))));
        }
        answers
    }

    async fn take_turn(&self, fleet: &Arc<Fleet>) {
        let _turn = self.turn.lock().await;
        // Who waits for the fleet gathers what others ask meanwhile. The semaphore is never closed.
        let _permit = fleet.at_once.acquire().await;
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        let questions: Vec<&Question> = waiting.iter().map(|waiting| &waiting.question).collect();
        let mut answers = self.round_trip(fleet, &questions).await;
        for (number, waiting) in waiting.into_iter().enumerate() {
            let answer = match &mut answers {
                Ok(answers) => answers.remove(&number.to_string()).ok_or_else(|| Box::new(self.silent())),
                Err(problem) => Err(problem.clone()),
            };
            // Nobody may wait for it any more.
            let _ = waiting.reply.send(answer);
        }
    }

    async fn round_trip(
        &self,
        fleet: &Arc<Fleet>,
        questions: &[&Question],
    ) -> Result<BTreeMap<String, Answer>, Box<Diagnostic>> {
        let mut shells: Vec<&str> = questions.iter().map(|question| question.shell).collect();
        shells.sort_unstable();
        shells.dedup();
        let asked = |(number, question): (usize, &&Question)| {
            let words: Vec<&str> = question.words.iter().map(String::as_str).collect();
            format!("ask {number} {}\n", command(&[&[question.entry.as_str()], words.as_slice()].concat()))
        };
        let main: String = questions.iter().enumerate().map(asked).collect();
        let program = program(&self.connection.ledger, &shells, &main);
        // Looking twice does no harm: a line that broke is opened once more.
        match self.run(fleet, &program).await {
            Ok(answers) => Ok(answers),
            Err(Broken::Unknown(_)) => self.run(fleet, &program).await.map_err(Broken::diagnostic),
            Err(Broken::NotBegun(problem)) => Err(problem),
        }
    }

    /// Runs a program that takes bytes behind it. A line that breaks off is not tried again: the bytes are gone.
    pub(crate) async fn deliver(
        &self,
        fleet: &Arc<Fleet>,
        program: &[u8],
        payload: Payload,
    ) -> Result<BTreeMap<String, Answer>, Broken> {
        let ended = Broken::NotBegun(Box::new(self.silent()));
        let Ok(_permit) = self.running.acquire().await else { return Err(ended) };
        let line = self.line(fleet).await.map_err(Broken::NotBegun)?;
        self.run_on(&line, program, Some(payload)).await
    }

    /// Runs a program to its end.
    pub(crate) async fn run(&self, fleet: &Arc<Fleet>, program: &[u8]) -> Result<BTreeMap<String, Answer>, Broken> {
        let ended = Broken::NotBegun(Box::new(self.silent()));
        let Ok(_permit) = self.running.acquire().await else { return Err(ended) };
        let line = self.line(fleet).await.map_err(Broken::NotBegun)?;
        match self.run_on(&line, program, None).await {
            // A line that broke off unnoticed: nothing was begun, and there may be another.
            Err(Broken::NotBegun(_)) if line.is_closed() => {
                let line = self.line(fleet).await.map_err(Broken::NotBegun)?;
                self.run_on(&line, program, None).await
            }
            outcome => outcome,
        }
    }

    async fn run_on(
        &self,
        line: &Line,
        program: &[u8],
        payload: Option<Payload>,
    ) -> Result<BTreeMap<String, Answer>, Broken> {
        self.traffic.round_trips.fetch_add(1, Ordering::Relaxed);
        let exchange = Exchange {
            host: &self.connection.name,
            sudo: self.connection.sudo,
            password: self.connection.sudo_password.as_deref(),
        };
        let output = line.run(&exchange, program, payload).await?;
        let answers = parse(&output.stdout).ok_or_else(|| Broken::Unknown(Box::new(self.silent())))?;
        Ok(with_complaints(answers, &output.stderr))
    }

    async fn line(&self, fleet: &Arc<Fleet>) -> Result<Arc<Line>, Box<Diagnostic>> {
        let mut line = self.line.lock().await;
        if let Some(open) = line.as_ref().filter(|open| !open.is_closed()) {
            return Ok(Arc::clone(open));
        }
        self.traffic.connections.fetch_add(1, Ordering::Relaxed);
        let opened =
            if self.connection.is_local() { Line::Local } else { Line::Ssh(Arc::new(self.open(fleet).await?)) };
        Ok(Arc::clone(line.insert(Arc::new(opened))))
    }

    async fn open(&self, fleet: &Arc<Fleet>) -> Result<Session, Box<Diagnostic>> {
        if self.connection.unknown {
            let problem = Diagnostic::error(format!("how to reach host `{}` is not known yet", self.connection.name));
            return Err(Box::new(problem.hint("what it depends on must be applied first")));
        }
        let through = match &self.connection.jump {
            Some(jump) => fleet.session(jump).await?,
            None => None,
        };
        Session::open(&self.connection, through).await
    }

    /// The connection itself, for others to go through; `None` where this machine is meant.
    pub(crate) fn session<'a>(&'a self, fleet: &'a Arc<Fleet>) -> Opening<'a> {
        Box::pin(async move {
            match &*self.line(fleet).await? {
                Line::Local => Ok(None),
                Line::Ssh(session) => Ok(Some(Arc::clone(session))),
            }
        })
    }

    /// Connects from the host to an address, as the host resolves it.
    pub(crate) async fn connect(
        &self,
        fleet: &Arc<Fleet>,
        address: &str,
        port: u16,
    ) -> Result<Stream, Box<Diagnostic>> {
        let line = self.line(fleet).await?;
        let within = self.connection.connect_timeout;
        let connected = tokio::time::timeout(within, line.connect(address, port)).await;
        connected.unwrap_or_else(|_| Err(format!("no answer within {} s", within.as_secs()))).map_err(|why| {
            let problem =
                Diagnostic::error(format!("`{address}:{port}` is out of reach from host `{}`", self.connection.name));
            Box::new(
                problem.detail(format!("{why}.")).hint("look whether it runs there, and whether the host may connect"),
            )
        })
    }

    fn silent(&self) -> Diagnostic {
        Diagnostic::error(format!("the host `{}` gave no whole answer", self.connection.name))
            .hint("look whether its `sh`, `stat`, `base64` and `sha256sum` work, and whether its disk is full")
    }
}

/// What the host says beside its answers belongs to the change that was asked for.
fn with_complaints(mut answers: BTreeMap<String, Answer>, stderr: &[u8]) -> BTreeMap<String, Answer> {
    if let Some(outcome) = answers.get_mut("outcome") {
        let said = String::from_utf8_lossy(stderr).replace("formwork-password:", "");
        outcome.problem = Some(said.trim().to_owned()).filter(|said| !said.is_empty());
    }
    answers
}
