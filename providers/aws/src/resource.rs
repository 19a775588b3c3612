//! What each resource type says of itself and how it calls AWS; everything that types share is in `life`.

use std::time::Duration;

use async_trait::async_trait;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Contents, Diagnostic, Diagnostics, Nesting, Path, Str, Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::tags::{Tagger, Tags, owner};

/// A resource type of AWS.
#[async_trait]
pub(crate) trait Resource: Send + Sync {
    /// Its schema and what follows from it alone.
    fn describe(&self) -> Description;

    /// Checks a configuration, in which values may be unknown, without asking AWS.
    fn check(&self, _config: &Value, _problems: &mut Problems) {}

    /// Corrects what the schema alone planned.
    fn refine(&self, _request: &PlanRequest, _change: &mut PlannedChange) {}

    /// Whether a part of a live object is what is known of it, said in other words: then what is known stays.
    fn same(&self, _attribute: &str, _known: &Value, _live: &Value) -> bool {
        false
    }

    /// The id that an object will have, where the configuration decides it; `None` where AWS gives ids out.
    fn id_of(&self, _planned: &Value) -> Option<String> {
        None
    }

    /// The same where more than the configuration decides it: a name that is made up from an attempt's token, or the
    /// account in an ARN.
    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, _token: &str) -> Result<Option<String>, Fault> {
        Ok(self.id_of(planned))
    }

    /// Whether AWS made this object by itself, as a part of another: then a creation may take it.
    fn comes_by_itself(&self, _live: &Live) -> bool {
        false
    }

    /// Whether an object is as good as gone for who knows it like this. `known` is never null.
    fn is_as_gone(&self, _known: &Value, _live: &Live) -> bool {
        false
    }

    /// The id of the object that a person means by `given`, for an import.
    fn imported(&self, given: &str) -> String {
        given.to_owned()
    }

    /// The id of the object that a record means whose own id AWS does not know: Terraform makes such ids up.
    fn recorded(&self, _value: &Value) -> Option<String> {
        None
    }

    /// Whether the object is to stay when its resource goes. `live` is its value.
    fn is_left(&self, _live: &Value) -> bool {
        false
    }

    /// All objects that a query means, in as few calls as can be. Those that are not there are left out.
    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault>;

    /// Makes the object, with its tags, in one call; answers its id. What that call cannot set is left to `update`,
    /// which is called next if the new object is not what was planned.
    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault>;

    /// Turns the live object into what is planned, but for its tags. Calls are made for what differs alone.
    async fn update(&self, _cloud: &Cloud, _call: &Call) -> Result<(), Fault> {
        Ok(())
    }

    /// Deletes the live object. That there is none is no error.
    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault>;
}

/// A data source of AWS.
#[async_trait]
pub(crate) trait DataSource: Send + Sync {
    fn type_name(&self) -> &'static str;

    fn block(&self) -> Block;

    /// What AWS knows, by attribute; the rest is as in `config`.
    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault>;
}

/// Values by attribute; those left out are null.
pub(crate) type Attributes = Vec<(&'static str, Value)>;

/// What a resource type is.
pub(crate) struct Description {
    pub type_name: &'static str,
    pub block: Block,
    pub contents: Contents,
    /// What an attribute is when the configuration is silent.
    pub defaults: Vec<(&'static str, Value)>,
    /// Computed attributes, and those whose change changes them.
    pub moves: &'static [(&'static str, &'static [&'static str])],
    /// Attributes that AWS does not know: they stay as configured, and have their defaults after an import.
    pub kept: &'static [&'static str],
    /// Attributes that a look at many objects leaves out, since AWS tells them one by one: they stay as they were.
    pub told_alone: &'static [&'static str],
    /// Attributes and blocks that are looked at only when a configuration speaks of them.
    pub only_if_set: &'static [&'static str],
    /// How its objects carry tags, and so their owner.
    pub tagger: Option<&'static dyn Tagger>,
    /// The creating call takes a client token.
    pub has_client_token: bool,
    /// The creating call would change an object that stands already, so it is looked for before.
    pub overwrites: bool,
    /// Tags are told one object at a time: a list of what an environment owns takes a call an object.
    pub scans: bool,
    /// The calls of the type are EC2's, which can be asked for their opinion beforehand.
    pub can_rehearse: bool,
    /// Deletion goes on after the call was answered.
    pub lingers: bool,
    pub times: Times,
    /// What a person writes for an import, such as `vpc-0123456789abcdef0`.
    pub import_example: &'static str,
}

/// How long a change may take until the object is ready, or gone, unless `timeouts` says otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub create: Duration,
    pub update: Duration,
    pub delete: Duration,
}

impl Description {
    /// A type with an `id` and these attributes.
    pub(crate) fn new<const N: usize>(
        type_name: &'static str,
        description: &str,
        attributes: [(&'static str, Attribute); N],
    ) -> Self {
        let mut block = Block { description: description.into(), ..Block::new(attributes) };
        let id = Attribute::computed(Type::String).describe("What AWS calls the object.");
        block.attributes.entry("id".into()).or_insert(id);
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            type_name,
            block,
            contents: Contents::Nothing,
            defaults: Vec::new(),
            moves: &[],
            kept: &[],
            told_alone: &[],
            only_if_set: &[],
            tagger: None,
            has_client_token: false,
            overwrites: false,
            scans: false,
            can_rehearse: false,
            lingers: false,
            times: Times { create: minutes(10), update: minutes(10), delete: minutes(20) },
            import_example: "",
        }
    }

    /// Its objects carry tags.
    #[must_use]
    pub(crate) fn tagged(mut self, tagger: &'static dyn Tagger) -> Self {
        let tags = Attribute::optional(Type::map(Type::String)).describe("Free keys and values.");
        let all = Attribute::computed(Type::map(Type::String))
            .describe("The tags, with the provider's `default_tags`, without those that say who owns the object.");
        self.block.attributes.insert("tags".into(), tags);
        self.block.attributes.insert("tags_all".into(), all);
        self.tagger = Some(tagger);
        self
    }

    /// A blueprint may say how long changes may take.
    #[must_use]
    pub(crate) fn with_timeouts(mut self, times: Times) -> Self {
        let time = |verb: &str| {
            Attribute::optional(Type::String)
                .describe(&format!("How long a {verb} may take, such as `30m` or `1h30m`."))
        };
        let block =
            Block::new([("create", time("creation")), ("update", time("update")), ("delete", time("deletion"))]);
        self.block = self.block.with_block("timeouts", Nesting::Single, block);
        self.times = times;
        self
    }
}

/// Which objects of a type are looked for.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    /// Those with these ids, at most [`crate::life::read::BATCH`] of them.
    Ids(Vec<String>),
    /// Those that carry the owner tag of an environment.
    Owned(Str),
    /// The one that an attempt made.
    Attempt(String),
    /// Those that carry no owner tag of any environment, but for what AWS made by itself.
    Unowned,
}

impl Query {
    /// Whether what AWS made by itself is left out: nobody takes that over.
    pub(crate) fn leaves_out(&self, is_of_aws: bool) -> bool {
        is_of_aws && matches!(self, Self::Unowned)
    }

    /// Whether an object with these tags is meant. Ids are not looked at.
    pub(crate) fn admits(&self, tags: &Tags) -> bool {
        match self {
            Self::Ids(_) => true,
            Self::Owned(environment) => tags.get(owner::ENVIRONMENT).is_some_and(|owner| *owner == **environment),
            Self::Attempt(token) => tags.get(owner::ATTEMPT) == Some(token),
            Self::Unowned => !tags.contains_key(owner::ENVIRONMENT),
        }
    }
}

/// An object as AWS has it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub id: String,
    /// All of them, those of the owner too.
    pub tags: Tags,
    /// All but `id`, `tags`, `tags_all` and what AWS does not know.
    pub attributes: Attributes,
    pub state: State,
}

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    /// It becomes ready by itself, or goes.
    Pending(String),
    /// It will not become ready, for this reason.
    Failed(String),
    /// It is listed still, but gone.
    Gone,
}

/// A change as a resource type sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The live object; null for a creation.
    pub live: Value,
    /// What is to stand, wholly known but for what the creation decides; null for a deletion.
    pub planned: Value,
    /// What the blueprint says: only here do write-only attributes have a value.
    pub config: Value,
    /// Those that the object is to carry, those of its owner too.
    pub tags: Tags,
    /// The same for each try of the same attempt: 32 hexadecimal digits.
    pub token: String,
}

impl Call {
    /// The id of the live object.
    pub(crate) fn id(&self) -> &str {
        self.live.get_str("id").unwrap_or_default()
    }

    /// What is to stand.
    pub(crate) fn wanted(&self) -> Fields<'_> {
        Fields(&self.planned)
    }

    /// What stands.
    pub(crate) fn found(&self) -> Fields<'_> {
        Fields(&self.live)
    }

    /// Whether an attribute is to become another.
    pub(crate) fn changes(&self, attribute: &str) -> bool {
        self.live.get(attribute).map(Value::deep_unmarked) != self.planned.get(attribute).map(Value::deep_unmarked)
    }
}

/// Problems of a configuration, with the attributes that they are about.
#[derive(Default)]
pub(crate) struct Problems(Diagnostics);

impl Problems {
    pub(crate) fn at(&mut self, attribute: &str, summary: impl Into<String>, hint: &str) {
        self.0.push(Diagnostic::error(summary).hint(hint).path(Path::attribute(attribute)));
    }

    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.0
    }

    /// A string out of a fixed set.
    pub(crate) fn one_of(&mut self, config: &Value, attribute: &str, allowed: &[&str]) {
        let Some(given) = config.get_str(attribute) else { return };
        if !allowed.contains(&given) {
            let list = allowed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            self.at(attribute, format!("`{given}` is not a value of `{attribute}`"), &format!("use one of {list}"));
        }
    }

    /// Of these attributes one may be set at most.
    pub(crate) fn at_most_one(&mut self, config: &Value, attributes: &[&str]) {
        let set = |name: &&&str| config.get(name).is_some_and(|value| !value.is_null() && !value.is_unknown());
        let found: Vec<&&str> = attributes.iter().filter(set).collect();
        if let [first, second, ..] = found.as_slice() {
            self.at(second, format!("`{first}` and `{second}` cannot both be set"), "leave one of them out");
        }
    }

    /// Of these attributes one must be set, and one alone.
    pub(crate) fn exactly_one(&mut self, config: &Value, attributes: &[&str]) {
        self.at_most_one(config, attributes);
        if attributes.iter().all(|name| config.get(name).is_none_or(Value::is_null)) {
            let list = attributes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            self.0.push(Diagnostic::error(format!("one of {list} must be set")).hint("set one of them"));
        }
    }

    /// An address block, such as `10.0.0.0/16`: its lengths in `lengths`, and no bit set beyond.
    pub(crate) fn cidr(&mut self, config: &Value, attribute: &str, lengths: std::ops::RangeInclusive<u8>) {
        let Some(given) = config.get_str(attribute) else { return };
        let (least, most) = (lengths.start(), lengths.end());
        match crate::cidr::parse(given) {
            None => self.at(
                attribute,
                format!("`{given}` is not an address block"),
                "write it as an address, a slash and a length, such as `10.0.0.0/16`",
            ),
            Some(block) if !lengths.contains(&block.length) => self.at(
                attribute,
                format!("`{given}` has a length outside /{least} to /{most}"),
                &format!("choose a block from /{least} to /{most}"),
            ),
            Some(block) if block.canonical != given => self.at(
                attribute,
                format!("`{given}` has address bits beyond its length"),
                &format!("write `{}`", block.canonical),
            ),
            Some(_) => {}
        }
    }
}
