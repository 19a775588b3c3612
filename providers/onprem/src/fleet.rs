//! All hosts of a run, many at once, each with one connection.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::{Diagnostic, Str};
use tokio::sync::Semaphore;

use crate::machine::{Machine, Question};
use crate::settings::Settings;
use crate::shell::answer::Answer;
use crate::transport::Session;

/// What went over the lines to each host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trips {
    /// How often a connection was opened.
    pub connections: u64,
    /// How many programs were sent.
    pub round_trips: u64,
}

/// The hosts that were wanted so far.
pub(crate) struct Fleet {
    pub settings: Settings,
    machines: Mutex<BTreeMap<Str, Arc<Machine>>>,
    /// Hosts that are worked on at once.
    pub at_once: Semaphore,
}

impl Fleet {
    pub(crate) fn new(settings: Settings) -> Self {
        let at_once = Semaphore::new(settings.parallel_hosts);
        Self { settings, machines: Mutex::default(), at_once }
    }

    /// A host by its name.
    ///
    /// # Errors
    /// The configuration does not declare it.
    pub(crate) fn machine(&self, name: &str) -> Result<Arc<Machine>, Box<Diagnostic>> {
        let connection = self.settings.host(name)?;
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = machines.entry(name.into()).or_insert_with(|| Arc::new(Machine::new(connection)));
        Ok(Arc::clone(machine))
    }

    /// Asks hosts questions, each host all of its own in one round trip. One answer a question, in the same order.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        questions: Vec<(String, Question)>,
    ) -> Vec<Result<Answer, Box<Diagnostic>>> {
        let mut by_host: BTreeMap<String, (Vec<usize>, Vec<Question>)> = BTreeMap::new();
        let count = questions.len();
        for (number, (host, question)) in questions.into_iter().enumerate() {
            let (numbers, asked) = by_host.entry(host).or_default();
            numbers.push(number);
            asked.push(question);
        }
        let asking = by_host.into_iter().map(|(host, (numbers, asked))| async move {
            let answers = match self.machine(&host) {
                Ok(machine) => machine.ask(self, asked).await,
                Err(problem) => asked.iter().map(|_| Err(problem.clone())).collect(),
            };
            (numbers, answers)
        });
        let mut all: Vec<Option<Result<Answer, Box<Diagnostic>>>> = (0..count).map(|_| None).collect();
        for (numbers, answers) in futures_util::future::join_all(asking).await {
            for (number, answer) in numbers.into_iter().zip(answers) {
                all[number] = Some(answer);
            }
        }
        let missing = || Err(Box::new(Diagnostic::error("a question was not answered")));
        all.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
    }

    /// The connection to a host that others are reached through.
    pub(crate) async fn session(self: &Arc<Self>, name: &str) -> Result<Option<Arc<Session>>, Box<Diagnostic>> {
        let machine = self.machine(name)?;
        machine.session(self).await
    }

    pub(crate) fn trips(&self) -> BTreeMap<Str, Trips> {
        let machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        let trips = |machine: &Machine| Trips {
            connections: machine.traffic.connections.load(Ordering::Relaxed),
            round_trips: machine.traffic.round_trips.load(Ordering::Relaxed),
        };
        machines.iter().map(|(name, machine)| (name.clone(), trips(machine))).collect()
    }
}
