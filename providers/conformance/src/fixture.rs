//! What the suite is told about a resource type.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use formwork_contract::{Str, Value};

/// A configuration, given what stands already. Attributes left out are null, blocks left out absent.
pub type Config = Arc<dyn Fn(&Prepared) -> Value + Send + Sync>;

/// Does something to a live object behind the provider's back; an error says why it could not.
pub type Disturb = Arc<dyn Fn(Value) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// A resource type and what to do with it.
#[derive(Clone)]
pub struct Fixture {
    pub type_name: Str,
    pub kept_by: KeptBy,
    /// What must stand before, in this order.
    pub needs: Vec<Need>,
    pub create: Config,
    /// One after the other, each in place.
    pub updates: Vec<Config>,
    /// Differs from `create` in what needs a new object.
    pub replace: Option<Config>,
    /// The attribute that an import goes by; it tells objects apart.
    pub import_id: &'static str,
    /// False: an import is to be refused.
    pub importable: bool,
    /// Attributes of resource types that the world keeps to itself: a discovery finds them null.
    pub unseen: Vec<(&'static str, &'static str)>,
    /// False: objects carry nothing that says whose they are, so that they are known by their ids alone.
    pub owned: bool,
    /// Changes an attribute that `create` sets.
    pub drift: Option<Disturb>,
    /// Deletes the object.
    pub vanish: Option<Disturb>,
}

/// Where objects of a type exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptBy {
    /// In the world that the provider reaches.
    Provider,
    /// In the engine's record alone: a read answers what was last seen, nothing is discovered.
    Record,
}

/// Something that must stand before.
#[derive(Clone)]
pub struct Need {
    pub name: &'static str,
    pub type_name: Str,
    pub config: Config,
}

/// What stands already, by the names of the needs.
#[derive(Clone, Debug, Default)]
pub struct Prepared(BTreeMap<&'static str, Value>);

impl Prepared {
    /// An attribute of a need; null where there is none.
    pub fn get(&self, need: &str, attribute: &str) -> Value {
        self.0.get(need).and_then(|value| value.get(attribute)).cloned().unwrap_or(Value::NULL)
    }

    /// The attribute `id` of a need.
    pub fn id(&self, need: &str) -> Value {
        self.get(need, "id")
    }

    pub(crate) fn insert(&mut self, need: &'static str, value: Value) {
        self.0.insert(need, value);
    }
}

impl Fixture {
    /// A type whose objects are imported by `id` and exist in the provider's world.
    pub fn new(type_name: &str, create: impl Fn(&Prepared) -> Value + Send + Sync + 'static) -> Self {
        Self {
            type_name: type_name.into(),
            kept_by: KeptBy::Provider,
            needs: Vec::new(),
            create: Arc::new(create),
            updates: Vec::new(),
            replace: None,
            import_id: "id",
            importable: true,
            unseen: Vec::new(),
            owned: true,
            drift: None,
            vanish: None,
        }
    }

    #[must_use]
    pub fn kept_by(self, kept_by: KeptBy) -> Self {
        Self { kept_by, ..self }
    }

    /// An object that an id says nothing of, or whose id would be a secret.
    #[must_use]
    pub fn without_import(self) -> Self {
        Self { importable: false, ..self }
    }

    /// An attribute of this type, or of one of its needs, cannot be read back, such as a secret's content.
    #[must_use]
    pub fn unseen(mut self, type_name: &'static str, attribute: &'static str) -> Self {
        self.unseen.push((type_name, attribute));
        self
    }

    /// An object that carries no owner tag: it is not discovered, and what stands at its id was made by whoever asks.
    #[must_use]
    pub fn without_owner(self) -> Self {
        Self { owned: false, ..self }
    }

    /// Tells objects apart by another attribute than `id`.
    #[must_use]
    pub fn known_by(self, import_id: &'static str) -> Self {
        Self { import_id, ..self }
    }

    #[must_use]
    pub fn needs(
        mut self,
        name: &'static str,
        type_name: &str,
        config: impl Fn(&Prepared) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.needs.push(Need { name, type_name: type_name.into(), config: Arc::new(config) });
        self
    }

    #[must_use]
    pub fn update(mut self, config: impl Fn(&Prepared) -> Value + Send + Sync + 'static) -> Self {
        self.updates.push(Arc::new(config));
        self
    }

    #[must_use]
    pub fn replace(mut self, config: impl Fn(&Prepared) -> Value + Send + Sync + 'static) -> Self {
        self.replace = Some(Arc::new(config));
        self
    }

    #[must_use]
    pub fn drift<F>(mut self, disturb: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.drift = Some(Arc::new(move |value| Box::pin(disturb(value))));
        self
    }

    #[must_use]
    pub fn vanish<F>(mut self, disturb: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.vanish = Some(Arc::new(move |value| Box::pin(disturb(value))));
        self
    }
}
