//! What the suite does to each resource type.

use std::sync::Arc;

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::{Entries, Type, Value};

use crate::lab::Shared;
use crate::parcels::Parcels;
use crate::registry::Registry;

/// All types, on one host.
pub(crate) fn all(host: &Shared, key: &str, parcels: &Parcels) -> Vec<Fixture> {
    vec![
        directory(host),
        nested_directory(host),
        file(host),
        artifact_file(host, parcels),
        package(host, parcels),
        secret_file(host),
        hosts_entry(host),
        group(host),
        user(host),
        authorized_key(host, key),
        sysctl(host),
        command(host),
    ]
}

/// An image in a registry that the host alone reaches.
pub(crate) fn image(registry: &Registry, [one, two]: &[String; 2]) -> Fixture {
    let ca = Value::string(&registry.ca);
    let with = |artifact: &str, tag: &str| {
        vec![
            ("registry", registry.authority.as_str().into()),
            ("repository", "factory/web".into()),
            ("tag", Value::string(tag)),
            ("artifact", Value::string(artifact)),
            ("ca_certificate", ca.clone()),
        ]
    };
    let (drift, vanish) = (registry.handle(), registry.handle());
    Fixture::new("onprem_image", says(with(one, "1")))
        .update(says(with(two, "1")))
        .replace(says(with(one, "2")))
        .drift(move |_| {
            let registry = drift.clone();
            async move { registry.exchange("factory/web:1") }
        })
        .vanish(move |_| {
            let registry = vanish.clone();
            async move { registry.skopeo(&["delete"], "factory/web:1").map(drop) }
        })
}

/// A configuration on the host `a`.
fn on(entries: &[(&str, Value)]) -> Value {
    Value::object(entries.iter().map(|(name, value)| (*name, value.clone())).chain([("host", "a".into())]))
}

fn says(entries: Vec<(&'static str, Value)>) -> impl Fn(&Prepared) -> Value + Send + Sync + 'static {
    move |_| on(&entries)
}

/// Runs sh on the host.
fn on_host(fixture: Fixture, host: &Shared, drift: &'static str, vanish: &'static str) -> Fixture {
    let (one, other) = (Arc::clone(host), Arc::clone(host));
    fixture
        .drift(move |_| {
            let host = Arc::clone(&one);
            async move { host.run(drift).map(drop) }
        })
        .vanish(move |_| {
            let host = Arc::clone(&other);
            async move { host.run(vanish).map(drop) }
        })
}

fn texts(texts: &[&str]) -> Value {
    Value::list(Type::String, texts.iter().map(Value::string).collect())
}

fn directory(host: &Shared) -> Fixture {
    let fixture =
        Fixture::new("onprem_directory", says(vec![("path", "/opt/it's here".into()), ("mode", "0750".into())]))
            .update(says(vec![("path", "/opt/it's here".into()), ("mode", "2775".into()), ("group", "staff".into())]))
            .replace(says(vec![("path", "/opt/there".into())]));
    on_host(fixture, host, "chmod 700 \"/opt/it's here\"", "rmdir \"/opt/it's here\"")
}

/// With the folders above it, which stay.
fn nested_directory(host: &Shared) -> Fixture {
    let below =
        |mode: &str| vec![("path", "/opt/above/it".into()), ("mode", mode.into()), ("parents", Value::Bool(true))];
    let fixture = Fixture::new("onprem_directory", says(below("0700"))).update(says(below("0755")));
    on_host(fixture, host, "test \"$(stat -c %a /opt/above)\" = 755; chmod 711 /opt/above/it", "rmdir /opt/above/it")
}

fn file(host: &Shared) -> Fixture {
    let with = |content: &str, mode: &str| {
        vec![("path", "/etc/formwork-test".into()), ("content", content.into()), ("mode", mode.into())]
    };
    let binary = vec![("path", "/etc/formwork-test".into()), ("content_base64", "AAH/gA==".into())];
    let fixture = Fixture::new("onprem_file", says(with("one\ntwo 'quoted' $HOME\\n ü\n", "0640")))
        .update(says(with("one\nthree", "0640")))
        .update(says(with("one\nthree", "0600")))
        .update(says(binary))
        .replace(says(vec![("path", "/etc/formwork-test-2".into()), ("content", "".into())]));
    on_host(fixture, host, "echo more >> /etc/formwork-test", "rm /etc/formwork-test")
}

/// One of half a megabyte, which is more than a line of sh could hold.
fn artifact_file(host: &Shared, parcels: &Parcels) -> Fixture {
    let bytes = |seed: u8| (0..500_000_u32).map(|at| (at % 251) as u8 ^ seed).collect::<Vec<u8>>();
    let (one, two) = (parcels.file(&bytes(0)), parcels.file(&bytes(7)));
    let with = |id: &str, mode: &str| {
        vec![("path", "/opt/program".into()), ("artifact", Value::string(id)), ("mode", mode.into())]
    };
    let fixture = Fixture::new("onprem_file", says(with(&one, "0755")))
        .update(says(with(&one, "0700")))
        .update(says(with(&two, "0700")))
        .update(says(vec![("path", "/opt/program".into()), ("content", "text".into())]));
    on_host(fixture, host, "echo more >> /opt/program", "rm /opt/program")
}

/// With what it depends on, which the host lacks at first.
fn package(host: &Shared, parcels: &Parcels) -> Fixture {
    let set =
        |version: &str| parcels.packages(&[("formwork-a", version, "formwork-b (>= 1)"), ("formwork-b", "1.5", "")]);
    let other = parcels.packages(&[("formwork-c", "1", "")]);
    let (one, two) = (set("1.0-1"), set("1.1-1"));
    let with = |name: &str, id: &str, hold: bool| {
        vec![("name", name.into()), ("artifact", Value::string(id)), ("hold", Value::Bool(hold))]
    };
    let fixture = Fixture::new("onprem_package", says(with("formwork-a", &one, true)))
        .update(says(with("formwork-a", &two, true)))
        .update(says(with("formwork-a", &two, false)))
        .update(says(with("formwork-a", &one, false)))
        .replace(says(with("formwork-c", &other, false)));
    on_host(
        fixture,
        host,
        "echo formwork-a install | dpkg --set-selections",
        "test ! -e /usr/sbin/policy-rc.d && echo formwork-a install | dpkg --set-selections && dpkg --remove formwork-a",
    )
}

fn secret_file(host: &Shared) -> Fixture {
    let with = |content: &str| {
        vec![("path", "/etc/formwork-secret".into()), ("sensitive_content", content.into()), ("owner", "daemon".into())]
    };
    let fixture = Fixture::new("onprem_file", says(with("hunter2"))).update(says(with("hunter3")));
    on_host(fixture, host, "chown root /etc/formwork-secret", "rm /etc/formwork-secret")
}

fn hosts_entry(host: &Shared) -> Fixture {
    let fixture = Fixture::new(
        "onprem_hosts_entry",
        says(vec![("address", "10.9.8.7".into()), ("names", texts(&["db.internal", "db"]))]),
    )
    .update(says(vec![("address", "10.9.8.7".into()), ("names", texts(&["db.internal"]))]))
    .replace(says(vec![("address", "fd00::7".into()), ("names", texts(&["db.internal"]))]));
    on_host(
        fixture,
        host,
        "sed 's/10.9.8.7.*/10.9.8.7 elsewhere/' /etc/hosts > /tmp/h && cat /tmp/h > /etc/hosts",
        "grep -v 10.9.8.7 /etc/hosts > /tmp/h; cat /tmp/h > /etc/hosts",
    )
}

fn group(host: &Shared) -> Fixture {
    let fixture = Fixture::new("onprem_group", says(vec![("name", "factory".into()), ("gid", Value::from(4242_i64))]))
        .update(says(vec![("name", "factory".into()), ("gid", Value::from(4243_i64))]))
        .replace(says(vec![("name", "works".into()), ("system", Value::Bool(true))]));
    on_host(fixture, host, "groupmod -g 4244 factory", "groupdel factory")
}

fn user(host: &Shared) -> Fixture {
    let groups = |names: &[&str]| Value::set(Type::String, names.iter().map(Value::string).collect());
    let fixture = Fixture::new(
        "onprem_user",
        says(vec![("name", "smith".into()), ("groups", groups(&["audio", "video"])), ("shell", "/bin/sh".into())]),
    )
    .update(says(vec![
        ("name", "smith".into()),
        ("groups", groups(&["video"])),
        ("shell", "/bin/bash".into()),
        ("comment", "A smith".into()),
    ]))
    .update(says(vec![("name", "smith".into()), ("password_hash", "$6$abc$notarealhash".into())]))
    .replace(says(vec![
        ("name", "mason".into()),
        ("create_home", Value::Bool(false)),
        ("home", "/srv/mason".into()),
    ]));
    on_host(fixture, host, "usermod -s /bin/false smith", "userdel -r smith 2>/dev/null")
}

fn authorized_key(host: &Shared, key: &str) -> Fixture {
    let with =
        |user: &str, options: Value| vec![("user", user.into()), ("key", Value::string(key)), ("options", options)];
    let none = || Value::Null(Type::String);
    let fixture = Fixture::new("onprem_ssh_authorized_key", says(with("root", none())))
        .update(says(with("root", "restrict,command=\"/bin/true  x\"".into())))
        .replace(says(with("games", none())));
    host.must("mkdir -p /usr/games && usermod -d /usr/games games");
    on_host(
        fixture,
        host,
        "sed '$s/^/no-pty /' /root/.ssh/authorized_keys > /tmp/k && cat /tmp/k > /root/.ssh/authorized_keys",
        "sed '$d' /root/.ssh/authorized_keys > /tmp/k && cat /tmp/k > /root/.ssh/authorized_keys",
    )
}

fn sysctl(host: &Shared) -> Fixture {
    let with = |name: &str, value: &str| vec![("name", name.into()), ("value", value.into())];
    let fixture = Fixture::new("onprem_sysctl", says(with("net.ipv4.ip_forward", "1")))
        .update(says(with("net.ipv4.ip_forward", "0")))
        .replace(says(with("net.ipv4.ip_local_port_range", "20000 30000")));
    on_host(
        fixture,
        host,
        "echo 0 > /proc/sys/net/ipv4/ip_forward",
        "rm /etc/sysctl.d/90-formwork-net.ipv4.ip_forward.conf",
    )
}

fn command(host: &Shared) -> Fixture {
    let with = |run: &str, trigger: &str| {
        let triggers = Value::map(Type::String, Entries::new(vec![("version".into(), trigger.into())]));
        vec![
            ("name", "init".into()),
            ("run", run.into()),
            ("creates", "/opt/made".into()),
            ("undo", "rm -f /opt/made".into()),
            ("triggers", triggers),
        ]
    };
    let mut fixture = Fixture::new("onprem_command", says(with("touch /opt/made", "1")))
        .update(says(with("touch /opt/made", "2")))
        .replace(says(vec![("name", "other".into()), ("run", "true".into())]));
    let host = Arc::clone(host);
    fixture = fixture.vanish(move |_| {
        let host = Arc::clone(&host);
        async move { host.run("rm /opt/made").map(drop) }
    });
    fixture
}
