//! TEST CODE: what the stand-in for EKS keeps, and how it comes to be as it is to be, look by look.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Call, KEPT, Kept, LOOKS, Refusal, Told, in_use, meddle, missing, opened};

impl Call<'_> {
    /// Begins an update, which the next one has to wait for.
    pub(super) fn begin(&self, operation: &'static str, cluster: &str, kind: &str, subject: &str) -> Told {
        let base = format!("clusters/{cluster}/updates");
        let id = format!("00000000-0000-0000-0000-{:012}", self.below(&base).len() + 1);
        let shown =
            json!({ "id": id, "status": "InProgress", "type": kind, "params": [], "createdAt": 1, "errors": [] });
        self.keep(&format!("{base}/{id}"), shown.clone(), LOOKS);
        let mut kept = KEPT.lock().expect("not poisoned");
        let place = |path: &str| (self.region.to_owned(), path.to_owned());
        if let Some(update) = kept.get_mut(&place(&format!("{base}/{id}"))) {
            update.subject = subject.to_owned();
        }
        if let Some(updated) = kept.get_mut(&place(subject)) {
            updated.looks = LOOKS;
            updated.shown["status"] = json!("UPDATING");
        }
        Ok((operation, json!({ "update": shown })))
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn arn(&self, what: &str) -> String {
        format!("arn:aws:eks:{}:123456789012:{what}", self.region)
    }

    pub(super) fn keep(&self, place: &str, shown: Value, looks: u64) {
        let token = self.body["clientRequestToken"].clone();
        let kept = Kept { shown, looks, token, ..Kept::default() };
        KEPT.lock().expect("not poisoned").insert((self.region.to_owned(), place.to_owned()), kept);
    }

    /// What stands at a place, if this call made it.
    pub(super) fn by_own_token(&self, place: &str) -> Option<Value> {
        let kept = KEPT.lock().expect("not poisoned");
        let found = kept.get(&(self.region.to_owned(), place.to_owned()))?;
        (!found.token.is_null() && found.token == self.body["clientRequestToken"]).then(|| found.shown.clone())
    }

    /// The update that this call began, if it is made a second time.
    pub(super) fn by_token(&self, updates: &str) -> Option<Value> {
        let token = &self.body["clientRequestToken"];
        let begun = self.below(updates).into_iter().find(|(_, update)| !token.is_null() && update.token == *token);
        begun.map(|(_, update)| update.shown)
    }

    pub(super) fn one_step_up(&self, cluster: &Value) -> Result<(), Refusal> {
        let minor = |version: &Value| version.as_str()?.strip_prefix("1.")?.parse::<u32>().ok();
        let (before, after) = (&cluster["version"], &self.body["version"]);
        match (minor(before), minor(after)) {
            (Some(from), Some(to)) if to == from + 1 => Ok(()),
            _ => {
                let why = format!("Unsupported Kubernetes minor version update from {before} to {after}");
                Err((StatusCode::BAD_REQUEST, "InvalidParameterException", why))
            }
        }
    }

    pub(super) fn must_be_free(&self, place: &str, what: &str, name: &str) -> Result<(), Refusal> {
        let kept = KEPT.lock().expect("not poisoned");
        match kept.contains_key(&(self.region.to_owned(), place.to_owned())) {
            true => Err(in_use(format!("{what} already exists with name: {name}"))),
            false => Ok(()),
        }
    }

    /// What stands directly below a path.
    pub(super) fn below(&self, path: &str) -> Vec<(String, Kept)> {
        let kept = KEPT.lock().expect("not poisoned");
        let of = |(region, place): &(String, String)| {
            let name = place.strip_prefix(path)?.strip_prefix('/')?;
            (region == self.region && !name.contains('/')).then(|| opened(name))
        };
        kept.iter().filter_map(|(place, kept)| Some((of(place)?, kept.clone()))).collect()
    }

    /// One look at an object: after some of them it is as it is to be.
    pub(super) fn look(&self, path: &str, what: &str) -> Result<Value, Refusal> {
        let mut kept = KEPT.lock().expect("not poisoned");
        let place = (self.region.to_owned(), path.to_owned());
        let Some(found) = kept.get_mut(&place) else { return Err(missing(what, path)) };
        if found.looks > 0 {
            found.looks -= 1;
            return Ok(found.shown.clone());
        }
        if found.leaves {
            drop(kept);
            meddle(self.region, path, |shown| *shown = Value::Null).expect("it stands");
            return Err(missing(what, path));
        }
        let end = match found.shown["status"].as_str() {
            Some("InProgress" | "Successful") => json!("Successful"),
            Some(_) => json!("ACTIVE"),
            None => Value::Null,
        };
        let was_updated = found.shown["status"] == json!("UPDATING");
        if !end.is_null() {
            found.shown["status"] = end;
        }
        let (shown, subject) = (found.shown.clone(), found.subject.clone());
        if was_updated {
            let updates =
                kept.iter_mut().filter(|((region, _), update)| region == self.region && update.subject == path);
            updates.for_each(|(_, update)| (update.looks, update.shown["status"]) = (0, json!("Successful")));
        }
        if let Some(updated) = kept.get_mut(&(self.region.to_owned(), subject))
            && updated.shown["status"] == json!("UPDATING")
        {
            (updated.looks, updated.shown["status"]) = (0, json!("ACTIVE"));
        }
        Ok(shown)
    }

    pub(super) fn leave(&self, path: &str, what: &str) -> Result<Value, Refusal> {
        self.look(path, what)?;
        let mut kept = KEPT.lock().expect("not poisoned");
        let place = (self.region.to_owned(), path.to_owned());
        let Some(found) = kept.get_mut(&place) else { return Err(missing(what, path)) };
        (found.looks, found.leaves) = (LOOKS, true);
        found.shown["status"] = json!("DELETING");
        Ok(found.shown.clone())
    }

    /// Puts parts of the call in place of those of the object, or merges them into these.
    pub(super) fn patch(&self, path: &str, what: &str, put: &[&str], merge: &[&str]) -> Result<Value, Refusal> {
        let shown = self.look(path, what)?;
        let busy = shown["status"].as_str().is_some_and(|status| status != "ACTIVE");
        let cluster = path.split('/').take(2).collect::<Vec<_>>().join("/");
        let updates = self.below(&format!("{cluster}/updates"));
        if busy || (path == cluster && updates.iter().any(|(_, update)| update.looks > 0)) {
            return Err(in_use(format!("{what} has an update in progress")));
        }
        let told = |names: &[&str]| -> Vec<(String, Value)> {
            let given = names.iter().filter(|name| !self.body[**name].is_null());
            given.map(|name| ((*name).to_owned(), self.body[*name].clone())).collect()
        };
        let mut after = shown.clone();
        for (name, part) in told(put) {
            after[name] = part;
        }
        for (name, part) in told(merge) {
            match (after[&name].as_object_mut(), part.as_object()) {
                (Some(object), Some(part)) => object.extend(part.clone()),
                _ => after[name] = part,
            }
        }
        if what == "cluster" && after == shown {
            let why = "Cluster is already at the desired configuration".to_owned();
            return Err((StatusCode::BAD_REQUEST, "InvalidParameterException", why));
        }
        meddle(self.region, path, |shown| *shown = after.clone()).expect("it stands");
        Ok(after)
    }

    pub(super) fn list(&self, operation: &'static str, path: &str, name: &str) -> Told {
        if let Some(cluster) = path.strip_suffix(&format!("/{}", path.rsplit('/').next().unwrap_or_default())) {
            self.look(cluster, "cluster")?;
        }
        let names: Vec<String> = self.below(path).into_iter().map(|(name, _)| name).collect();
        let asked = self.query.get("maxResults").and_then(|text| text.parse().ok()).unwrap_or(100);
        let size = if self.page > 0 { self.page.min(asked) } else { asked };
        let from: usize = self.query.get("nextToken").and_then(|text| text.parse().ok()).unwrap_or_default();
        let some: Vec<&String> = names.iter().skip(from).take(size).collect();
        let mut told = json!({ name: some });
        if from + size < names.len() {
            told["nextToken"] = json!((from + size).to_string());
        }
        Ok((operation, told))
    }
}
