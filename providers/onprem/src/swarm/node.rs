//! `onprem_swarm_node`: a host that joins a swarm. The host itself joins and leaves; a manager says the rest.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Diagnostic, Type, Value};
use serde_json::{Value as Json, json};

use super::inspect::{ascii, check_word, json_texts, string, texts};
use crate::beyond::{Beyond, Looked, Reach};
use crate::machine::Question;
use crate::resource::{Description, Problems, text};
use crate::shell::answer::Answer;
use crate::shell::{Script, command};
use crate::transport::Broken;

pub(crate) struct Node;

pub(super) const AVAILABILITIES: [&str; 3] = ["active", "pause", "drain"];

const SHELL: &str = concat!(include_str!("docker.sh"), include_str!("node.sh"));

/// A host is in one swarm at most.
const KEY: &str = "node";

/// How long tasks may take to end, in seconds, where the configuration does not say.
const DRAIN: i64 = 300;

#[async_trait]
impl Beyond for Node {
    fn describe(&self) -> Description {
        let text = |description: &str| Attribute::defaulted(Type::String).describe(description);
        let block = Block::new([
            (
                "manager",
                Attribute::required(Type::String)
                    .describe("A host that manages the swarm: `onprem_swarm.NAME.host`. The token is fetched from it."),
            ),
            ("role", text("`worker` (the default) or `manager`.")),
            ("availability", text("`active` (the default), `pause` for no new tasks, `drain` for no tasks at all.")),
            ("labels", Attribute::optional(Type::map(Type::String)).describe("Labels, for constraints of services.")),
            (
                "advertise_address",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("The address by which other hosts reach this one. Docker chooses one by default."),
            ),
            (
                "drain_timeout",
                Attribute::defaulted(Type::Number)
                    .describe("How many seconds tasks may take to end when the node is drained; 300 by default."),
            ),
            ("node_id", Attribute::computed(Type::String).describe("Its id in the swarm.")),
        ]);
        Description {
            defaults: vec![
                ("role", "worker".into()),
                ("availability", "active".into()),
                ("drain_timeout", DRAIN.into()),
            ],
            ..Description::new(
                "onprem_swarm_node",
                "A host as a node of a swarm. It is drained before it leaves.",
                block,
            )
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        check_word(config, "role", &["worker", "manager"], problems);
        check_word(config, "availability", &AVAILABILITIES, problems);
        if config.get_str("manager").is_some() && config.get_str("manager") == config.get_str("host") {
            let hint = "the first manager is in the swarm by its `onprem_swarm`, which has labels and an availability";
            problems.at("manager", "a host does not join a swarm through itself", hint);
        }
    }

    fn key(&self, _planned: &Value) -> Option<String> {
        Some(KEY.into())
    }

    fn foresee(&self, planned: Value) -> Value {
        planned
    }

    fn kept(&self, planned: &Value) -> Json {
        json!({
            "manager": planned.get_str("manager"), "advertise_address": planned.get_str("advertise_address"),
            "drain_timeout": planned.get("drain_timeout").and_then(Value::as_number).and_then(|n| n.as_i64()),
        })
    }

    async fn look(&self, reach: &Reach<'_>, _key: &str, mark: &Answer, known: &Value) -> Looked {
        let kept = mark.kept();
        let said = |name: &str| match known.is_null() {
            true => kept[name].as_str().map(str::to_owned),
            false => known.get_str(name).map(str::to_owned),
        };
        let Some(manager) = said("manager") else {
            let problem = Diagnostic::error(format!("nobody has noted which swarm the host `{}` is in", reach.host));
            return Err(Box::new(problem.hint("let it leave (`docker swarm leave`), and join by its resource")));
        };
        let asked = vec![
            (reach.host.to_owned(), question(&["onprem_swarm_node_self"])),
            (manager.clone(), question(&["onprem_swarm_node_all"])),
        ];
        let mut answers = reach.fleet.ask(asked).await.into_iter();
        let mut next = |host: &str| {
            let answer = answers.next().unwrap_or_else(|| Ok(Answer::default()))?;
            match &answer.problem {
                Some(why) => Err(Box::new(
                    Diagnostic::error(format!("the swarm cannot be looked at on host `{host}`"))
                        .quote(why.clone())
                        .hint("put right what the host says"),
                )),
                None => Ok(answer),
            }
        };
        let own = next(reach.host)?;
        let state = own.text("state").unwrap_or_default();
        if !matches!(&*state, "active" | "pending" | "error" | "locked") {
            return Ok(None);
        }
        let all = next(&manager)?;
        let nodes = all.text("nodes").unwrap_or_default();
        let mut nodes = nodes.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let id = own.text("node_id").unwrap_or_default();
        let Some(node) = nodes.find(|node| node["ID"].as_str() == Some(&*id)) else {
            let problem = Diagnostic::error(format!("the host `{}` is in another swarm", reach.host));
            let detail = format!("The swarm that `{manager}` manages does not know its node `{id}`.");
            return Err(Box::new(
                problem.detail(detail).hint("let it leave that one: `docker swarm leave --force` there"),
            ));
        };
        let drain = match known.get("drain_timeout").filter(|value| !value.is_null() && !value.is_unknown()) {
            Some(value) => value.clone(),
            None => kept["drain_timeout"].as_i64().unwrap_or(DRAIN).into(),
        };
        let advertised = said("advertise_address");
        let address = node["Status"]["Addr"].as_str();
        // Where the configuration is silent Docker chooses; where it is not, what stands counts.
        let advertised = advertised.and(address).map_or(Value::Null(Type::String), Value::string);
        Ok(Some(vec![
            ("manager", Value::string(manager)),
            ("role", string(&node["Spec"]["Role"])),
            ("availability", string(&node["Spec"]["Availability"])),
            ("labels", texts(&node["Spec"]["Labels"], known.get("labels"))),
            ("advertise_address", advertised),
            ("drain_timeout", drain),
            ("node_id", Value::string(id)),
        ]))
    }

    async fn change(&self, reach: &Reach<'_>, _key: &str, prior: &Value, planned: &Value) -> Result<(), Broken> {
        match planned.is_null() {
            true => leave(reach, prior).await,
            false => join(reach, prior, planned).await,
        }
    }
}

fn question(words: &[&str]) -> Question {
    Question { shell: SHELL, words: words.iter().map(|word| (*word).to_owned()).collect(), entry: String::new() }
}

async fn join(reach: &Reach<'_>, prior: &Value, planned: &Value) -> Result<(), Broken> {
    let (manager, role) = (text(planned, "manager"), text(planned, "role"));
    if prior.is_null() {
        let asked = vec![
            (manager.to_owned(), question(&["onprem_swarm_node_token", role])),
            (manager.to_owned(), question(&["onprem_swarm_node_all"])),
        ];
        let mut answers = reach.fleet.ask(asked).await.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Ok(Answer::default())).map_err(Broken::NotBegun);
        let (token, all) = (next()?, next()?);
        let (Some(token), Some(address)) = (token.text("token"), all.text("address")) else {
            let said = token.problem.or(all.problem).unwrap_or_else(|| "it is in no swarm".into());
            let problem = Diagnostic::error(format!("the host `{manager}` manages no swarm")).quote(said);
            let problem = problem.hint("name a manager of the swarm, and let it begin first: `onprem_swarm.NAME.host`");
            return Err(Broken::NotBegun(Box::new(problem)));
        };
        let request = json!({
            "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": text(planned, "advertise_address"),
            "RemoteAddrs": [format!("{}:2377", bracketed(&address))], "JoinToken": token,
        });
        let mut script = Script::default();
        script.feed(&["node_join"], &ascii(&request));
        reach.run(reach.host, SHELL, &script).await?;
    }
    let own = reach.ask(reach.host, question(&["onprem_swarm_node_self"])).await.map_err(Broken::NotBegun)?;
    let (id, mut script) = (own.text("node_id").unwrap_or_default(), Script::default());
    let node = specification(role, text(planned, "availability"), planned);
    script.feed(&["node_set", &id, role, &seconds(planned)], &node);
    script.lines(&format!(
        "node_forget \"$(docker node inspect --format '{{{{.Description.Hostname}}}}' {0})\" {0}",
        command(&[&id])
    ));
    reach.run(manager, SHELL, &script).await
}

async fn leave(reach: &Reach<'_>, prior: &Value) -> Result<(), Broken> {
    let (manager, id) = (text(prior, "manager"), text(prior, "node_id"));
    let mut before = Script::default();
    before.feed(&["node_drain", id, &seconds(prior)], &specification("worker", "drain", prior));
    reach.run(manager, SHELL, &before).await?;
    let mut leaving = Script::default();
    leaving.run(&["node_leave"]);
    reach.run(reach.host, SHELL, &leaving).await?;
    let mut after = Script::default();
    after.run(&["node_remove", id]);
    reach.run(manager, SHELL, &after).await
}

fn specification(role: &str, availability: &str, value: &Value) -> Vec<u8> {
    ascii(&json!({ "Role": role, "Availability": availability, "Labels": json_texts(value.get("labels")) }))
}

fn seconds(value: &Value) -> String {
    let number = value.get("drain_timeout").and_then(Value::as_number).and_then(|number| number.as_i64());
    number.unwrap_or(DRAIN).to_string()
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}
