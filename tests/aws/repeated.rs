//! An answer is lost, and the call is made again with the same client token.

use crate::cloud::Cloud;
use crate::factory;
use crate::shim::Weather;

/// Creations that carry a client token.
const REPEATED: [&str; 5] =
    ["RunInstances", "CreateVolume", "CreateNatGateway", "CreateLaunchTemplate", "CreateVpcEndpoint"];

#[test]
fn a_repeated_client_token_makes_one_object() {
    let weather = Weather { lose_first: REPEATED.into(), ..Weather::default() };
    let Some(cloud) = Cloud::start(weather) else { return };
    cloud.write("main.hcl", factory::BLUEPRINT);
    cloud.does(&["apply", "--auto-approve"]);
    let seen = cloud.shim.take();
    for action in REPEATED {
        let bodies: Vec<&str> =
            seen.iter().filter(|call| call.action == action).map(|call| call.body.as_str()).collect();
        let [first, second] = bodies.as_slice() else { panic!("{action} was sent {} times", bodies.len()) };
        assert!(first.contains("ClientToken="), "{first}");
        assert_eq!(first, second, "the same call, with the same token");
    }
    assert_eq!(factory::count(&cloud), factory::whole());
    cloud.assert_settled();
}
