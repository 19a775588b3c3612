//! What the suite does to machines and what belongs to them.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::{Type, Value};

use crate::bench::map;
use crate::moto::Moto;
use crate::network::{Entries, call, id, object, vpc};
use crate::routing::{subnet, tagged};

/// Images of the emulator, whose first disk is `/dev/sda1`.
pub(crate) const IMAGE: &str = "ami-1e749f67";
const OTHER_IMAGE: &str = "ami-12c6146b";

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDS/ovwgPDHE8I0Y/aqxx52ifyYgWaKxWdlMkPvTepA a";
const OTHER_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOu8R4eiqzBvCGqidxH10DXeT5s6NMAu9xO0QsNwgGdl b";

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![
        keys(moto, region),
        templates(moto, region),
        machines(moto, region),
        volumes(moto, region),
        attachments(moto, region),
    ]
}

fn strings(values: Vec<Value>) -> Value {
    Value::set(Type::String, values)
}

fn block(entries: Entries) -> Value {
    Value::tuple(vec![object(entries)])
}

fn keys(moto: &'static Moto, region: &'static str) -> Fixture {
    let key = |public: &str, tags: &[(&str, &str)]| {
        object(vec![("key_name", "deploy".into()), ("public_key", public.into()), ("tags", map(tags))])
    };
    Fixture::new("aws_key_pair", move |_| key(KEY, &[("Name", "a")]))
        .update(move |_| key(KEY, &[("Name", "b"), ("x", "y")]))
        .replace(move |_| object(vec![("key_name_prefix", "deploy-".into()), ("public_key", OTHER_KEY.into())]))
        .drift(move |value| {
            let key = value.get_str("key_pair_id").unwrap_or_default().to_owned();
            let parameters = vec![("ResourceId.1", key), ("Tag.1.Key", "Name".into()), ("Tag.1.Value", "o".into())];
            call(moto, region, "CreateTags", parameters)
        })
        .vanish(move |value| call(moto, region, "DeleteKeyPair", vec![("KeyName", id(&value))]))
}

/// The emulator tells the tags of a template as they were at first, so that they stay the same here.
fn templates(moto: &'static Moto, region: &'static str) -> Fixture {
    let template = |name: &str, more: Entries| {
        let disk =
            block(vec![("volume_size", Value::from(20)), ("volume_type", "gp3".into()), ("encrypted", true.into())]);
        let mut entries = vec![
            ("name", Value::from(name)),
            ("image_id", IMAGE.into()),
            ("tags", map(&[("Name", "a")])),
            ("metadata_options", block(vec![("http_tokens", "required".into())])),
            ("block_device_mappings", block(vec![("device_name", "/dev/sda1".into()), ("ebs", disk)])),
        ];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_launch_template", move |_| template("nodes", vec![("instance_type", "m5.large".into())]))
        .update(move |_| {
            let tags = block(vec![("resource_type", "instance".into()), ("tags", map(&[("Name", "node")]))]);
            let more = vec![
                ("instance_type", "m5.xlarge".into()),
                ("description", "larger".into()),
                ("user_data", "IyEvYmluL3NoCg==".into()),
                ("vpc_security_group_ids", strings(vec!["sg-1".into()])),
                ("monitoring", block(vec![("enabled", true.into())])),
                ("tag_specifications", tags),
            ];
            template("nodes", more)
        })
        .update(move |_| {
            let more = vec![("instance_type", "m5.2xlarge".into()), ("update_default_version", true.into())];
            template("nodes", more)
        })
        .update(move |_| {
            template("nodes", vec![("instance_type", "m5.2xlarge".into()), ("default_version", Value::from(1))])
        })
        .replace(move |_| template("others", vec![("instance_type", "m5.large".into())]))
        .drift(move |value| {
            let parameters =
                vec![("LaunchTemplateId", id(&value)), ("LaunchTemplateData.InstanceType", "t3.nano".into())];
            call(moto, region, "CreateLaunchTemplateVersion", parameters)
        })
        .vanish(move |value| call(moto, region, "DeleteLaunchTemplate", vec![("LaunchTemplateId", id(&value))]))
}

fn group(prepared: &Prepared) -> Value {
    object(vec![("vpc_id", prepared.id("network")), ("name_prefix", "machines-".into())])
}

fn machine(prepared: &Prepared, more: Entries) -> Value {
    let entries = vec![
        ("ami", Value::from(IMAGE)),
        ("instance_type", "t3.micro".into()),
        ("subnet_id", prepared.id("subnet")),
        ("user_data", "#!/bin/sh\n".into()),
        ("tags", map(&[("Name", "a")])),
    ];
    more.into_iter().fold(object(entries), |value, (name, part)| value.with(name, part))
}

fn machines(moto: &'static Moto, region: &'static str) -> Fixture {
    let disk = |size: i64| block(vec![("volume_size", Value::from(size)), ("volume_type", "gp3".into())]);
    let metadata = |tokens: &str| block(vec![("http_tokens", tokens.into())]);
    let usual = move |prepared: &Prepared, more: Entries| {
        let mut all = vec![
            ("vpc_security_group_ids", strings(vec![prepared.id("group")])),
            ("root_block_device", disk(20)),
            ("metadata_options", metadata("required")),
        ];
        all.extend(more);
        machine(prepared, all)
    };
    Fixture::new("aws_instance", move |prepared| usual(prepared, Vec::new()))
        .needs("network", "aws_vpc", vpc)
        .needs("subnet", "aws_subnet", subnet)
        .needs("group", "aws_security_group", group)
        .needs("other", "aws_security_group", group)
        .update(move |prepared| usual(prepared, vec![("instance_type", "t3.small".into())]))
        .update(move |prepared| {
            let more = vec![
                ("instance_type", "t3.small".into()),
                ("vpc_security_group_ids", strings(vec![prepared.id("other"), prepared.id("group")])),
                ("tags", map(&[("Name", "b"), ("x", "y")])),
                ("source_dest_check", false.into()),
                ("disable_api_termination", true.into()),
            ];
            usual(prepared, more)
        })
        .update(move |prepared| {
            let more = vec![
                ("root_block_device", disk(30)),
                ("metadata_options", metadata("optional")),
                ("user_data", "#!/bin/sh\ntrue\n".into()),
                ("disable_api_termination", false.into()),
                ("instance_initiated_shutdown_behavior", "terminate".into()),
            ];
            usual(prepared, more)
        })
        .update(|prepared| machine(prepared, Vec::new()))
        .replace(move |prepared| usual(prepared, vec![("ami", OTHER_IMAGE.into())]))
        .drift(move |value| {
            let parameters = vec![("InstanceId", id(&value)), ("InstanceType.Value", "t3.nano".into())];
            call(moto, region, "ModifyInstanceAttribute", parameters)
        })
        .vanish(move |value| call(moto, region, "TerminateInstances", vec![("InstanceId.1", id(&value))]))
}

fn volumes(moto: &'static Moto, region: &'static str) -> Fixture {
    let volume = move |zone: &str, size: i64, kind: &str, more: Entries| {
        let mut entries = vec![
            ("availability_zone", Value::from(format!("{region}{zone}"))),
            ("size", Value::from(size)),
            ("type", Value::from(kind)),
        ];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_ebs_volume", move |_| volume("a", 10, "gp2", vec![("tags", map(&[("Name", "a")]))]))
        .update(move |_| volume("a", 20, "gp2", Vec::new()))
        .update(move |_| volume("a", 20, "gp3", vec![("iops", Value::from(4000)), ("throughput", Value::from(200))]))
        .update(move |_| volume("a", 20, "gp3", vec![("tags", map(&[("Name", "b")]))]))
        .replace(move |_| volume("c", 10, "gp2", vec![("encrypted", true.into())]))
        .drift(move |value| tagged(moto, region, value))
        .vanish(move |value| call(moto, region, "DeleteVolume", vec![("VolumeId", id(&value))]))
}

fn attachments(moto: &'static Moto, region: &'static str) -> Fixture {
    let attachment = |prepared: &Prepared, device: &str| {
        object(vec![
            ("device_name", device.into()),
            ("volume_id", prepared.id("disk")),
            ("instance_id", prepared.id("machine")),
        ])
    };
    Fixture::new("aws_volume_attachment", move |prepared| attachment(prepared, "/dev/sdf"))
        .without_owner()
        .needs("network", "aws_vpc", vpc)
        .needs("subnet", "aws_subnet", subnet)
        .needs("machine", "aws_instance", |prepared| machine(prepared, Vec::new()))
        .needs("disk", "aws_ebs_volume", |prepared| {
            object(vec![("availability_zone", prepared.get("subnet", "availability_zone")), ("size", Value::from(10))])
        })
        .replace(move |prepared| attachment(prepared, "/dev/sdg"))
        .vanish(move |value| {
            let part = |name: &str| value.get_str(name).unwrap_or_default().to_owned();
            let parameters = vec![
                ("VolumeId", part("volume_id")),
                ("InstanceId", part("instance_id")),
                ("Device", part("device_name")),
            ];
            call(moto, region, "DetachVolume", parameters)
        })
}
