//! TEST CODE: what the stand-in for EKS makes of creations and changes.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Call, KEPT, LOOKS, OFFERED, Told, closed, in_use, meddle, missing, remove};

impl Call<'_> {
    pub(super) fn create_cluster(&self) -> Told {
        let name = self.text("name");
        let place = format!("clusters/{name}");
        if let Some(made) = self.by_own_token(&place) {
            return Ok(("CreateCluster", json!({ "cluster": made })));
        }
        self.must_be_free(&place, "Cluster", &name)?;
        if self.body["version"].as_str().is_some_and(|version| !OFFERED.contains(&version)) {
            let why = "unsupported Kubernetes version".to_owned();
            return Err((StatusCode::BAD_REQUEST, "InvalidParameterException", why));
        }
        let network = &self.body["resourcesVpcConfig"];
        let or = |value: &Value, default: Value| if value.is_null() { default } else { value.clone() };
        let ip = &self.body["kubernetesNetworkConfig"];
        let access = &self.body["accessConfig"];
        let number = name.len();
        let shown = json!({
            "name": name,
            "arn": self.arn(&format!("cluster/{name}")),
            "createdAt": 1_790_000_000,
            "version": or(&self.body["version"], json!("1.34")),
            "endpoint": format!("https://{number:032X}.gr7.{}.eks.amazonaws.com", self.region),
            "roleArn": self.body["roleArn"],
            "resourcesVpcConfig": {
                "subnetIds": or(&network["subnetIds"], json!([])),
                "securityGroupIds": or(&network["securityGroupIds"], json!([])),
                "clusterSecurityGroupId": "sg-0c1",
                "vpcId": "vpc-0c1",
                "endpointPublicAccess": or(&network["endpointPublicAccess"], json!(true)),
                "endpointPrivateAccess": or(&network["endpointPrivateAccess"], json!(false)),
                "publicAccessCidrs": or(&network["publicAccessCidrs"], json!(["0.0.0.0/0"])),
            },
            "kubernetesNetworkConfig": {
                "serviceIpv4Cidr": or(&ip["serviceIpv4Cidr"], json!("172.20.0.0/16")),
                "ipFamily": or(&ip["ipFamily"], json!("ipv4")),
            },
            "logging": or(&self.body["logging"], json!({ "clusterLogging": [] })),
            "identity": { "oidc": { "issuer": format!("https://oidc.eks.{}.amazonaws.com/id/{number:032X}", self.region) } },
            "certificateAuthority": { "data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==" },
            "platformVersion": "eks.9",
            "tags": or(&self.body["tags"], json!({})),
            "encryptionConfig": or(&self.body["encryptionConfig"], json!([])),
            "health": { "issues": [] },
            "accessConfig": { "authenticationMode": or(&access["authenticationMode"], json!("CONFIG_MAP")) },
            "upgradePolicy": { "supportType": or(&self.body["upgradePolicy"]["supportType"], json!("EXTENDED")) },
            "deletionProtection": or(&self.body["deletionProtection"], json!(false)),
            "status": "CREATING",
        });
        self.keep(&place, shown.clone(), LOOKS);
        Ok(("CreateCluster", json!({ "cluster": shown })))
    }

    pub(super) fn delete_cluster(&self, name: &str) -> Told {
        let place = format!("clusters/{name}");
        let cluster = self.look(&place, "cluster")?;
        if cluster["deletionProtection"] == json!(true) {
            let why = "deletion protection is enabled for the cluster".to_owned();
            return Err((StatusCode::BAD_REQUEST, "InvalidRequestException", why));
        }
        if !self.below(&format!("{place}/node-groups")).is_empty() {
            return Err(in_use("Cluster has nodegroups attached".into()));
        }
        Ok(("DeleteCluster", json!({ "cluster": self.leave(&place, "cluster")? })))
    }

    pub(super) fn update_cluster(&self, name: &str) -> Told {
        let place = format!("clusters/{name}");
        let told = ["resourcesVpcConfig", "logging", "accessConfig", "upgradePolicy", "deletionProtection"];
        let given: Vec<&str> = told.into_iter().filter(|name| !self.body[*name].is_null()).collect();
        let [one] = given.as_slice() else {
            let why = format!("only one type of update is allowed: {given:?}");
            return Err((StatusCode::BAD_REQUEST, "InvalidParameterException", why));
        };
        let network = &self.body["resourcesVpcConfig"];
        if !network["subnetIds"].is_null() && !network["endpointPublicAccess"].is_null() {
            let why = "only one type of update is allowed".to_owned();
            return Err((StatusCode::BAD_REQUEST, "InvalidParameterException", why));
        }
        self.patch(&place, "cluster", &[], &[one])?;
        let kind = match *one {
            "logging" => "LoggingUpdate",
            "accessConfig" => "AccessConfigUpdate",
            "upgradePolicy" => "UpgradePolicyUpdate",
            "deletionProtection" => "DeletionProtectionUpdate",
            _ => "VpcConfigUpdate",
        };
        self.begin("UpdateClusterConfig", name, kind, &place)
    }

    pub(super) fn create_group(&self, cluster: &str) -> Told {
        let standing = self.look(&format!("clusters/{cluster}"), "cluster")?;
        let name = self.text("nodegroupName");
        let place = format!("clusters/{cluster}/node-groups/{name}");
        if let Some(made) = self.by_own_token(&place) {
            return Ok(("CreateNodegroup", json!({ "nodegroup": made })));
        }
        self.must_be_free(&place, "NodeGroup", &name)?;
        let mut shown = self.body.clone();
        let has_template = shown.get("launchTemplate").is_some();
        let defaults = [
            ("version", standing["version"].clone()),
            ("releaseVersion", json!("1.34.0-20260101")),
            ("capacityType", json!("ON_DEMAND")),
            ("amiType", json!("AL2023_x86_64_STANDARD")),
            ("updateConfig", json!({ "maxUnavailable": 1 })),
            ("labels", json!({})),
            ("diskSize", if has_template { Value::Null } else { json!(20) }),
            ("instanceTypes", if has_template { Value::Null } else { json!(["t3.medium"]) }),
        ];
        for (name, default) in defaults {
            if shown[name].is_null() && !default.is_null() {
                shown[name] = default;
            }
        }
        if let Some(template) = shown.get_mut("launchTemplate").and_then(Value::as_object_mut) {
            template.entry("id").or_insert(json!("lt-0123456789abcdef0"));
            template.entry("name").or_insert(json!("nodes"));
            template.entry("version").or_insert(json!("1"));
        }
        shown["clusterName"] = json!(cluster);
        shown["nodegroupArn"] = json!(self.arn(&format!("nodegroup/{cluster}/{name}/0a1b")));
        shown["createdAt"] = json!(1_790_000_000);
        shown["health"] = json!({ "issues": [] });
        shown["resources"] = json!({ "autoScalingGroups": [{ "name": format!("eks-{name}-0a1b") }] });
        shown["status"] = json!("CREATING");
        remove(&mut shown, &["clientRequestToken", "force"]);
        self.keep(&place, shown.clone(), LOOKS);
        Ok(("CreateNodegroup", json!({ "nodegroup": shown })))
    }

    pub(super) fn configure_group(&self, cluster: &str, name: &str) -> Told {
        let place = format!("clusters/{cluster}/node-groups/{name}");
        let group = self.patch(&place, "node group", &["scalingConfig", "updateConfig"], &[])?;
        let (labels, taints) = (&self.body["labels"], &self.body["taints"]);
        let mut kept: BTreeMap<String, Value> = serde_json::from_value(group["labels"].clone()).unwrap_or_default();
        let set: BTreeMap<String, Value> =
            serde_json::from_value(labels["addOrUpdateLabels"].clone()).unwrap_or_default();
        kept.extend(set);
        kept.retain(|key, _| !labels["removeLabels"].as_array().is_some_and(|gone| gone.contains(&json!(key))));
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let is = |one: &Value, other: &Value| one["key"] == other["key"] && one["effect"] == other["effect"];
        let (set, gone) = (list(&taints["addOrUpdateTaints"]), list(&taints["removeTaints"]));
        let mut tainted = list(&group["taints"]);
        tainted.retain(|taint| !set.iter().chain(&gone).any(|other| is(taint, other)));
        tainted.extend(set);
        meddle(self.region, &place, |group| {
            group["labels"] = json!(kept);
            group["taints"] = json!(tainted);
        })
        .expect("it stands");
        self.begin("UpdateNodegroupConfig", cluster, "ConfigUpdate", &place)
    }

    pub(super) fn create_addon(&self, cluster: &str) -> Told {
        self.look(&format!("clusters/{cluster}"), "cluster")?;
        let name = self.text("addonName");
        let place = format!("clusters/{cluster}/addons/{name}");
        if let Some(made) = self.by_own_token(&place) {
            return Ok(("CreateAddon", json!({ "addon": made })));
        }
        self.must_be_free(&place, "Addon", &name)?;
        let mut shown = self.body.clone();
        shown["clusterName"] = json!(cluster);
        shown["addonArn"] = json!(self.arn(&format!("addon/{cluster}/{name}/0a1b")));
        shown["createdAt"] = json!(1_790_000_000);
        shown["modifiedAt"] = json!(1_790_000_000);
        shown["health"] = json!({ "issues": [] });
        shown["status"] = json!("CREATING");
        if shown["addonVersion"].is_null() {
            shown["addonVersion"] = json!("v1.20.0-eksbuild.1");
        }
        remove(&mut shown, &["clientRequestToken", "resolveConflicts"]);
        self.keep(&place, shown.clone(), LOOKS);
        Ok(("CreateAddon", json!({ "addon": shown })))
    }

    pub(super) fn create_entry(&self, cluster: &str) -> Told {
        self.look(&format!("clusters/{cluster}"), "cluster")?;
        let who = self.text("principalArn");
        let place = format!("clusters/{cluster}/access-entries/{}", closed(&who));
        if let Some(made) = self.by_own_token(&place) {
            return Ok(("CreateAccessEntry", json!({ "accessEntry": made })));
        }
        self.must_be_free(&place, "AccessEntry", &who)?;
        let mut shown = self.body.clone();
        shown["clusterName"] = json!(cluster);
        shown["accessEntryArn"] = json!(self.arn(&format!("access-entry/{cluster}/role/0/{}/0a1b", who.len())));
        (shown["createdAt"], shown["modifiedAt"]) = (json!(1), json!(1));
        for (name, default) in [("type", json!("STANDARD")), ("username", json!(who)), ("kubernetesGroups", json!([]))]
        {
            if shown[name].is_null() {
                shown[name] = default;
            }
        }
        remove(&mut shown, &["clientRequestToken"]);
        self.keep(&place, shown.clone(), 0);
        Ok(("CreateAccessEntry", json!({ "accessEntry": shown })))
    }

    pub(super) fn tag(&self, method: &str, arn: &str) -> Told {
        let mut kept = KEPT.lock().expect("not poisoned");
        let arns = ["arn", "nodegroupArn", "addonArn", "accessEntryArn"];
        let found = kept.iter_mut().find(|((region, _), kept)| {
            region == self.region && arns.iter().any(|name| kept.shown[*name] == json!(arn))
        });
        let Some((_, found)) = found else { return Err(missing("resource", arn)) };
        let mut tags: BTreeMap<String, Value> = serde_json::from_value(found.shown["tags"].clone()).unwrap_or_default();
        if method == "POST" {
            let set: BTreeMap<String, Value> = serde_json::from_value(self.body["tags"].clone()).unwrap_or_default();
            tags.extend(set);
        }
        tags.retain(|key, _| !self.tags.contains(key));
        found.shown["tags"] = json!(tags);
        Ok((if method == "POST" { "TagResource" } else { "UntagResource" }, json!({})))
    }
}
