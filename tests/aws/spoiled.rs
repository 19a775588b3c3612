//! A bad day: a third of all calls is refused since there are too many, and one in twenty loses its connection.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::cloud::Cloud;
use crate::factory;
use crate::shim::Weather;

/// Serves microburst, which ends with the process that started it. Its dice are seeded.
const SERVE: &str = r#"
import os, random, sys, threading
def wait():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=wait, daemon=True).start()
random.seed(7)
from microburst.cli import main
sys.argv = ["microburst", "--port", sys.argv[1], "--upstream", sys.argv[2], "--config", sys.argv[3]]
main()
"#;

/// How often a run is begun again: what nobody knows the end of ends one.
const RUNS: usize = 12;

/// These refusals come however slowly AWS is called, so that calling it ever slower would only take long.
const STANDARD: &str = "  retry_mode = \"standard\"\n";

/// What spoils the calls. Its standard input ends it when this process ends.
struct Spoiler {
    address: SocketAddr,
    _child: Child,
}

/// Each service has its own word for too many calls.
fn rules() -> serde_json::Value {
    let refusal = |service: &str, code: &str, status: u16| json!({ "service": service, "probability": 0.3, "error": { "code": code, "status": status } });
    json!([
        // Before the call is carried out, and after it.
        { "service": "*", "probability": 0.025, "reset": true },
        { "service": "*", "probability": 0.025, "response": { "abort_frac": 0.0 } },
        refusal("ec2", "RequestLimitExceeded", 503),
        refusal("iam", "Throttling", 400),
        refusal("sts", "Throttling", 400),
        refusal("s3", "SlowDown", 503),
        refusal("kms", "ThrottlingException", 400),
        refusal("logs", "ThrottlingException", 400),
        refusal("ecr", "ThrottlingException", 400),
    ])
}

impl Spoiler {
    fn start(cloud: &Cloud) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let config = json!({ "rules": rules() }).to_string();
        cloud.write("spoiler.json", &config);
        let python = std::env::var_os("FORMWORK_TEST_MOTO").expect("the emulator started");
        let mut child = std::process::Command::new(python)
            .args(["-c", SERVE, &address.port().to_string(), &format!("http://{}", cloud.shim.address)])
            .arg(cloud.path().join("spoiler.json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        for _ in 0..300 {
            if TcpStream::connect(address).is_ok() {
                return Self { address, _child: child };
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let ended = child.kill().and_then(|()| child.wait());
        panic!("microburst does not serve: {ended:?}");
    }
}

/// What is made on a bad day: calls that nobody knows the end of, such that may be repeated, and settings.
const TYPES: [&str; 14] = [
    "aws_vpc",
    "aws_subnet",
    "aws_internet_gateway",
    "aws_eip",
    "aws_nat_gateway",
    "aws_route_table",
    "aws_route",
    "aws_key_pair",
    "aws_ebs_volume",
    "aws_iam_role",
    "aws_cloudwatch_log_group",
    "aws_ecr_repository",
    "aws_s3_bucket",
    "aws_s3_bucket_versioning",
];

/// A part of the factory, which takes minutes as a whole.
fn part() -> String {
    let is_meant = |block: &&str| TYPES.iter().any(|name| block.starts_with(&format!("resource \"{name}\"")));
    factory::BLUEPRINT.split("\n\n").filter(is_meant).collect::<Vec<_>>().join("\n\n")
}

impl Cloud {
    /// Begins anew after each run that ends with calls that nobody knows the end of.
    fn apply_until_it_is_done(&self) {
        for runs in 1.. {
            let ran = self.formwork(&["apply", "--auto-approve", "--on-failure", "continue"]);
            if ran.code == Some(0) {
                return;
            }
            assert!(runs < RUNS, "no run comes to an end: {ran}");
        }
    }
}

/// The whole factory. A third of all changes is refused, and of one in twenty the answer is lost, always the same ones.
#[test]
fn a_factory_is_made_though_answers_are_lost() {
    let weather = Weather { throttle_one_of: 3, lose_one_of: 20, ..Weather::default() };
    let Some(cloud) = Cloud::start(weather) else { return };
    cloud.configure(cloud.shim.address, STANDARD);
    cloud.write("main.hcl", factory::BLUEPRINT);
    cloud.apply_until_it_is_done();
    cloud.assert_settled();
    assert_eq!(factory::count(&cloud), factory::whole());
}

#[test]
fn a_bad_day_ends_with_what_the_blueprint_says() {
    let Some(cloud) = Cloud::start(Weather::default()) else { return };
    let spoiler = Spoiler::start(&cloud);
    cloud.configure(spoiler.address, STANDARD);
    cloud.write("main.hcl", &part());
    cloud.apply_until_it_is_done();
    cloud.call_at(cloud.shim.address);
    cloud.assert_settled();
    let told = cloud.does(&["state", "list"]);
    assert_eq!(told.lines().count(), TYPES.len(), "{told}");
    let made = [
        "vpcs",
        "subnets",
        "gateways",
        "addresses",
        "nats",
        "routes",
        "keys of machines",
        "volumes",
        "roles",
        "log groups",
        "repositories",
        "buckets",
    ];
    let stands = factory::count(&cloud);
    for kind in made {
        assert_eq!(stands[kind], 1, "{kind} in {stands}");
    }
    // One comes with the network.
    assert_eq!(stands["tables"], 2, "{stands}");
}
