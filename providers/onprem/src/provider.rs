//! The provider contract, spoken for all resource types alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use formwork_contract::artifact::ArtifactSource;
use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Imported, PlanRequest, PlannedChange,
    Private, Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Str, Value};

use crate::beyond::{self, Beyond, Reach};
use crate::catalog::{Catalog, Kind};
use crate::change::{Change, harmless, look, question, settling};
use crate::delivery::bring;
use crate::fleet::{Fleet, Trips};
use crate::host::facts;
use crate::identity::{Id, file_name};
use crate::resource::Problems;
use crate::settings::Settings;
use crate::shell::answer::Answer;
use crate::shell::{program, quoted};

/// How many calls are taken at once. Most of them wait for a host; a host takes few at once.
const CONCURRENCY: usize = 400;

/// The provider `onprem`.
#[derive(Clone)]
pub struct OnPrem {
    catalog: Arc<Catalog>,
    fleets: Arc<Mutex<Vec<Arc<Fleet>>>>,
}

impl OnPrem {
    pub fn new() -> Self {
        Self { catalog: Arc::new(Catalog::new()), fleets: Arc::default() }
    }

    /// What went over the line to each host of the last configuration.
    pub fn trips(&self) -> BTreeMap<Str, Trips> {
        let fleets = self.fleets.lock().unwrap_or_else(PoisonError::into_inner);
        fleets.last().map(|fleet| fleet.trips()).unwrap_or_default()
    }
}

impl Default for OnPrem {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Provider for OnPrem {
    fn name(&self) -> &str {
        "onprem"
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(self.catalog.schema())
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        Settings::read(&config.deep_unmarked()).err().unwrap_or_default()
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        let kind = match self.catalog.kind(type_name) {
            Ok(kind) => kind,
            Err(problem) => return (*problem).into(),
        };
        let mut problems = Problems::default();
        kind.resource.check(config, &mut problems);
        problems.into_diagnostics()
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let settings = Settings::read(&config.deep_unmarked())?;
        let fleet = Arc::new(Fleet::new(settings));
        self.fleets.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&fleet));
        let catalog = Arc::clone(&self.catalog);
        let (environment, artifacts) = (context.environment, context.artifacts);
        Ok(Arc::new(Configured { catalog, fleet, environment, artifacts, attempts: Mutex::default() }))
    }
}

/// The provider with its hosts.
struct Configured {
    catalog: Arc<Catalog>,
    fleet: Arc<Fleet>,
    environment: Str,
    artifacts: Arc<dyn ArtifactSource>,
    /// Attempts that are under way: one that was given up by its caller goes on, and is waited for.
    attempts: Mutex<HashMap<Str, Arc<tokio::sync::Mutex<()>>>>,
}

impl Configured {
    fn kind(&self, type_name: &str) -> Result<&Kind, Diagnostics> {
        self.catalog.kind(type_name).map_err(told)
    }

    /// Waits until nothing of the attempt is under way any more.
    async fn alone(&self, attempt: &Str) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(attempts.entry(attempt.clone()).or_default())
        };
        lock.lock_owned().await
    }

    fn ledger(&self, host: &str) -> Str {
        self.fleet.settings.host(host).map(|host| host.ledger.clone()).unwrap_or_default()
    }

    /// Looks at objects, all at once: what is known of each may be null. One answer an object, in the same order.
    async fn look_at(
        &self,
        environment: &str,
        objects: &[(&str, &Id, Value)],
    ) -> Vec<Result<Option<Value>, Diagnostics>> {
        let mut asked = Vec::with_capacity(objects.len());
        let mut beyond = Vec::new();
        for (type_name, id, known) in objects {
            let Ok(kind) = self.catalog.kind(type_name) else { continue };
            match kind.resource.beyond() {
                Some(far) => beyond.push(self.look_beyond(far, (kind, id, environment), known)),
                None => asked.push((id.host.clone(), question(kind, id, environment, known))),
            }
        }
        let (answers, far) = tokio::join!(self.fleet.ask(asked), futures_util::future::join_all(beyond));
        let (mut answers, mut far) = (answers.into_iter(), far.into_iter());
        let looked = |(type_name, id, known): &(&str, &Id, Value)| {
            let kind = self.kind(type_name)?;
            if kind.resource.beyond().is_some() {
                return far.next().unwrap_or(Ok(None)).map_err(told);
            }
            let answer = answers.next().unwrap_or_else(|| Ok(Answer::default())).map_err(told)?;
            look(kind, id, &answer, known).map_err(told)
        };
        objects.iter().map(looked).collect()
    }

    async fn look_beyond(
        &self,
        far: &dyn Beyond,
        about: (&Kind, &Id, &str),
        known: &Value,
    ) -> Result<Option<Value>, Box<Diagnostic>> {
        beyond::look(far, &self.reach(&about.1.host), about, known).await
    }

    fn reach<'a>(&'a self, host: &'a str) -> Reach<'a> {
        Reach { fleet: &self.fleet, artifacts: &self.artifacts, host, changing: false }
    }

    /// The marks of ownership of a host.
    async fn marks(&self, host: &str, environment: &str) -> Result<Vec<Answer>, Diagnostics> {
        let folder = file_name(environment);
        let main = format!(
            "n=0; for mark in \"$ledger\"/owners/{}/*/*; do case $mark in *.new) continue ;; esac; [ -f \"$mark\" ] || continue\n\
             printf '@%s\\n' \"$n\"; entry_of \"$mark\"; show_entry; n=$((n + 1)); done",
            quoted(&folder)
        );
        let machine = self.fleet.machine(host).map_err(told)?;
        let answers = machine.run(&self.fleet, &program(&self.ledger(host), &[], &main)).await;
        Ok(answers.map_err(|broken| told(broken.diagnostic()))?.into_values().collect())
    }
}

#[async_trait]
impl ConfiguredProvider for Configured {
    fn concurrency(&self) -> usize {
        CONCURRENCY
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let ids: Vec<Option<Id>> = requests.iter().map(|request| Id::parse(id_of(&request.value))).collect();
        let named = requests
            .iter()
            .zip(&ids)
            .filter_map(|(request, id)| Some((&*request.type_name, id.as_ref()?, request.value.deep_unmarked())));
        let mut looked = self.look_at(&self.environment, &named.collect::<Vec<_>>()).await.into_iter();
        let outcome = |id: &Option<Id>| {
            let found = if id.is_some() { looked.next().unwrap_or(Ok(None))? } else { None };
            Ok(match found {
                Some(value) => ReadOutcome::Present { value, private: Private::default() },
                None => ReadOutcome::Absent,
            })
        };
        ids.iter().map(outcome).collect()
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        if type_name != facts::TYPE {
            let problem = Diagnostic::error(format!("the provider `onprem` has no data source `{type_name}`"));
            return Err(problem.hint(format!("there is `{}`", facts::TYPE)).into());
        }
        let host = config.get_str("name").unwrap_or_default().to_owned();
        let answer = self.fleet.ask(vec![(host.clone(), facts::question())]).await.pop();
        let answer = answer.unwrap_or_else(|| Ok(Answer::default())).map_err(told)?;
        let connection = self.fleet.settings.host(&host).map_err(told)?;
        facts::value(&host, &connection, &answer).map_err(told)
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let kind = self.kind(&request.type_name)?;
        if let Some(host) = request.config.get_str("host") {
            let about = |problem: Box<Diagnostic>| problem.path(formwork_contract::Path::attribute("host"));
            self.fleet.settings.host(host).map_err(|problem| Diagnostics::from(about(problem)))?;
        }
        let proposed = kind.with_defaults(&request.config, &request.proposed);
        let request = PlanRequest { proposed, ..request };
        let recomputed = |name: &str| kind.description.recomputed.contains(&name);
        let mut change = plan_by_schema(&kind.description.block, &request, recomputed);
        let is_new = request.prior.is_null() || !change.requires_replace.is_empty();
        if !change.planned.is_null() {
            change.planned = kind.resource.foresee(change.planned);
            if is_new && let Some(id) = kind.id(&change.planned) {
                change.planned = change.planned.with("id", Value::string(id.text()));
            }
        }
        Ok(change)
    }

    /// Once it is sent a change goes on, whatever becomes of the caller.
    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let unknown = |type_name: &str| match self.catalog.kind(type_name) {
            Ok(_) => Diagnostic::error("what the object is called is not known"),
            Err(problem) => *problem,
        };
        let prior = request.prior.deep_unmarked();
        let planned = request.planned.deep_unmarked();
        let kept_of = harmless(&request.planned);
        let id = match self.catalog.kind(&request.type_name) {
            Ok(kind) if prior.is_null() => kind.id(&planned),
            Ok(_) => Id::parse(id_of(&prior)),
            Err(_) => None,
        };
        let Some(id) = id else { return Err(ApplyError::did_not_happen(unknown(&request.type_name))) };
        let machine = self.fleet.machine(&id.host).map_err(|problem| ApplyError::did_not_happen(*problem))?;
        let ledger = self.ledger(&id.host);
        let under_way = self.alone(&request.attempt.0).await;
        let (catalog, fleet) = (Arc::clone(&self.catalog), Arc::clone(&self.fleet));
        let (environment, artifacts) = (self.environment.clone(), Arc::clone(&self.artifacts));
        let task = tokio::spawn(async move {
            let _under_way = under_way;
            let kind = catalog.kind(&request.type_name).map_err(|problem| ApplyError::did_not_happen(*problem))?;
            let (address, attempt) = (&request.address, &*request.attempt.0);
            let mut _loading = None;
            let delivered = match kind.resource.cargo(&prior, &planned) {
                Some(cargo) if !planned.is_null() => {
                    _loading = Some(machine.loading.lock().await);
                    let brought = bring(cargo, &artifacts, &machine, &fleet, &ledger).await;
                    brought.map_err(|problem| ApplyError::did_not_happen((*problem).address(address)))?
                }
                _ => Vec::new(),
            };
            let environment = &environment;
            let change = Change { kind, id, environment, address, attempt, prior, planned, kept_of, delivered };
            if let Some(far) = kind.resource.beyond() {
                let reach = Reach { fleet: &fleet, artifacts: &artifacts, host: &change.id.host, changing: true };
                return beyond::carry_out(far, &reach, &change, &ledger).await;
            }
            change.outcome(&machine.run(&fleet, &change.program(&ledger)).await)
        });
        task.await.unwrap_or_else(|error| {
            let problem = Diagnostic::error("the change broke off").detail(format!("{error}."));
            Err(ApplyError::Unknown { diagnostic: Box::new(problem) })
        })
    }

    /// A creation is told by its attempt, which the host keeps in the mark of ownership: an object that was there
    /// before has another.
    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        let kind = self.kind(&request.type_name)?;
        let (prior, planned) = (request.prior.deep_unmarked(), request.planned.deep_unmarked());
        let id = if prior.is_null() { kind.id(&planned) } else { Id::parse(id_of(&prior)) };
        let Some(id) = id else { return Ok(Settlement::Absent) };
        let known = if planned.is_null() { &prior } else { &planned };
        let _under_way = self.alone(&request.attempt.0).await;
        if let Some(far) = kind.resource.beyond() {
            let about = (kind, &id, &*self.environment);
            let (found, mark) = beyond::look_for(far, &self.reach(&id.host), about, known).await.map_err(told)?;
            let is_ours = !prior.is_null() || mark.entry("attempt") == Some(&*request.attempt.0);
            return Ok(match found {
                Some(value) if is_ours => Settlement::Present { value, private: Private::default() },
                _ => Settlement::Absent,
            });
        }
        let question = question(kind, &id, &self.environment, known);
        let machine = self.fleet.machine(&id.host).map_err(told)?;
        let looked = machine.run(&self.fleet, &settling(kind, &id, &question, &self.ledger(&id.host))).await;
        let answers = looked.map_err(|broken| told(broken.diagnostic()))?;
        let Some(after) = answers.get("after") else {
            return Err(Diagnostic::error(format!("a change of `{}` on host `{}` is still going on", id.key, id.host))
                .address(&request.address)
                .hint("wait until it has ended, then go on")
                .into());
        };
        let is_ours = !prior.is_null() || after.entry("attempt") == Some(&*request.attempt.0);
        Ok(match look(kind, &id, after, known).map_err(told)? {
            Some(value) if is_ours => Settlement::Present { value, private: Private::default() },
            _ => Settlement::Absent,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        if let Some(why) = self.kind(type_name)?.description.not_importable {
            let problem = Diagnostic::error(format!("a `{type_name}` cannot be imported")).detail(why);
            return Err(problem.hint("delete it there, and let its resource make it anew").into());
        }
        let malformed = || {
            Diagnostic::error(format!("`{id}` is not the id of a `{type_name}`"))
                .hint("write `HOST:KEY`, such as `web1:/etc/motd`, with a host that the provider's `hosts` name")
        };
        let parsed = Id::parse(id).ok_or_else(malformed)?;
        let looked = self.look_at(&self.environment, &[(type_name, &parsed, Value::NULL)]).await.pop();
        match looked.unwrap_or(Ok(None))? {
            Some(value) => Ok(Imported { value, private: Private::default() }),
            None => {
                Err(Diagnostic::error(format!("there is no `{type_name}` `{}` on host `{}`", parsed.key, parsed.host))
                    .hint("an id is the host, a colon, and what the object is called there")
                    .into())
            }
        }
    }

    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        let hosts: Vec<String> = self.fleet.settings.declared().map(|host| host.name.to_string()).collect();
        let marks = futures_util::future::join_all(hosts.iter().map(|host| self.marks(host, environment))).await;
        let mut found = Vec::new();
        for (host, marks) in hosts.into_iter().zip(marks) {
            for mark in marks? {
                let field = |name| mark.entry(name).unwrap_or_default().to_owned();
                let (type_name, id) = (field("type"), Id { host: host.clone(), key: field("key") });
                found.push((type_name, id, field("address")));
            }
        }
        let objects: Vec<_> = found.iter().map(|(type_name, id, _)| (type_name.as_str(), id, Value::NULL)).collect();
        let looked = self.look_at(environment, &objects).await;
        let mut discovered = Vec::with_capacity(found.len());
        for ((type_name, id, address), looked) in found.iter().zip(looked) {
            let Some(value) = looked? else { continue };
            let address = address.parse().map_err(|error| {
                Diagnostic::error(format!("the mark of `{}` on host `{}` names no address", id.key, id.host))
                    .detail(format!("It is `{address}`: {error}."))
            })?;
            discovered.push(Discovered {
                type_name: type_name.as_str().into(),
                address,
                value,
                private: Private::default(),
            });
        }
        Ok(discovered)
    }
}

/// The id of a value; empty where there is none, which no object has.
fn id_of(value: &Value) -> &str {
    value.get_str("id").unwrap_or_default()
}

#[expect(clippy::boxed_local, reason = "whoever refuses boxes why, and this is the end of its way")]
fn told(problem: Box<Diagnostic>) -> Diagnostics {
    (*problem).into()
}
