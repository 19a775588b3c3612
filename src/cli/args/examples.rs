//! What stands below the help of each verb: how it is used.

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done, and nothing is wrong
  1    an error; what was done and what was not is told
  2    the command line is wrong; with `plan --detailed-exitcode` or `drift --detailed-exitcode`:
       there are changes
  3    a release waits before one of its waves; nothing is wrong, and not all is done
  4    a rehearsal in which what was does not come back
  130  interrupted

Environment:
  FORMWORK_ENV        the environment, where --env is not given
  FORMWORK_VAR_name   an input variable; TF_VAR_name is read as well
  FORMWORK_LOG        the level of the log, where --log is not given; then TF_LOG, TF_LOG_PATH
  FORMWORK_IDENTITY   the key file that opens records, where --identity is not given
  SSH_AUTH_SOCK       the agent that `approve` lets sign
  FORMWORK_ACTOR      who runs this, for the record; the login name otherwise
  NO_COLOR            no colours
  FORMWORK_PROVIDER_PATH     folders in which plugins are looked for first, separated by colons
  FORMWORK_PROVIDER_TIMEOUT  seconds that any call of a plugin may take; 12 hours for a change, else minutes
  TF_CLI_CONFIG_FILE         Terraform's CLI configuration: mirrors, dev_overrides, credentials";

pub(super) const INIT: &str = "\
Examples:
  formwork init                      a factory on the sandbox: needs nothing installed
  formwork -C factory init --target sandbox";

pub(super) const VALIDATE: &str = "\
Examples:
  formwork validate
  formwork validate --env prod --json";

pub(super) const FMT: &str = "\
Examples:
  formwork fmt                       all *.hcl and *.tf files of the folder
  formwork fmt --recursive --check   for CI: says which files would change, and changes none
  formwork fmt --diff main.hcl
  cat main.hcl | formwork fmt -";

pub(super) const PLAN: &str = "\
Examples:
  formwork plan
  formwork plan --env prod -o prod.plan       keep it: `formwork apply prod.plan` does exactly that
  formwork plan --var node_count=4 --target component.cluster.main
  formwork plan --exclude component.logging.main   all but that, and but what depends on it
  formwork plan --preflight                   how far each change can be checked beforehand
  formwork plan --detailed-exitcode           0: no changes, 1: error, 2: changes";

pub(super) const SHOW: &str = "\
Examples:
  formwork show                      what is recorded
  formwork show prod.plan            a plan, as `plan` printed it
  formwork show --json prod.plan     in the form of `terraform show -json`, for conftest, checkov and others";

pub(super) const APPLY: &str = "\
Examples:
  formwork apply                     plan, ask, apply
  formwork apply prod.plan           exactly that plan; stops if reality has moved
  formwork apply prod.plan --signature signed/prod.sig    approvals that do not lie beside it
  formwork apply --auto-approve      for CI, where the environment allows it
  formwork apply --on-failure rollback          take back what was done, should a step fail
  formwork apply --accept-loss sandbox_registry.old    what it holds is lost with it
After an interruption run it again: open steps are settled first by looking at reality. Or `formwork resume`.";

pub(super) const DESTROY: &str = "\
Examples:
  formwork destroy --env dev
  formwork destroy --env dev --target component.logging.central
  formwork destroy --env dev --accept-loss all  with the images, logs and other data that its objects hold";

pub(super) const ROLLBACK: &str = "\
Examples:
  formwork history                   which revisions there are
  formwork rollback                  after a run that broke: to what stood before it; else to the revision before
  formwork rollback --to 3
  formwork rollback --to 3 -o back.plan";

pub(super) const HISTORY: &str = "\
Examples:
  formwork history
  formwork history --limit 5 --json
  formwork history 7                 one revision: who approved it, and what was let pass for it
  formwork history --verify          0: the record is what was written
  formwork history --verify --known 3f0c...    and still has that link";

pub(super) const DRIFT: &str = "\
Examples:
  formwork drift
  formwork drift --detailed-exitcode          for a nightly job: 2 where something drifted";

pub(super) const OUTPUT: &str = "\
Examples:
  formwork output
  formwork output endpoint
  formwork output --raw kubeconfig > kubeconfig
  formwork output --json";

pub(super) const STATE: &str = "\
Examples:
  formwork state list
  formwork state list module.web
  formwork state show 'sandbox_machine.web[0]'
  formwork state mv sandbox_machine.a sandbox_machine.b
  formwork state rm sandbox_machine.old       the object stays, and is no longer managed
  formwork state export --terraform -o terraform.tfstate
  formwork state settle null_resource.a --absent    a run broke off, and it was not made
  formwork state settle sandbox_machine.a --as-is   a way back was stuck with it, and it is seen to";

pub(super) const ADOPT: &str = "\
Examples:
  formwork adopt terraform.tfstate --dry-run      what would be taken, and what not
  formwork adopt terraform.tfstate
  terraform state pull | formwork adopt - --auto-approve
The record takes the objects; nothing else changes. Then `formwork plan` finds no changes.";

pub(super) const GRAPH: &str = "\
Examples:
  formwork graph > factory.dot
  formwork graph --format svg > factory.svg";

pub(super) const CONSOLE: &str = "\
Examples:
  formwork console
  echo 'cidrsubnet(var.cidr_block, 8, 3)' | formwork console
An expression ends with its line, unless brackets are open. `exit` or end of input leaves.";

pub(super) const SANDBOX: &str = "\
Examples:
  formwork sandbox list
  formwork sandbox drift component.registry.images.sandbox_registry.main scan_on_push=false
  formwork sandbox create sandbox_network name=legacy cidr_block=10.8.0.0/16
  formwork sandbox delete component.registry.images.sandbox_registry_credential.pull";

pub(super) const SERVE_PROVIDER: &str = "\
Example:
  formwork serve-provider sandbox    as Terraform starts it; by hand it says what it is for

A link to this program whose name is `terraform-provider-NAME` or `formwork-provider-NAME` serves that
provider. Terraform finds it in a folder that the file of TF_CLI_CONFIG_FILE (else ~/.terraformrc) names:

  mkdir -p plugins
  ln -s \"$(command -v formwork)\" plugins/terraform-provider-sandbox

  # ~/.terraformrc
  provider_installation {
    dev_overrides { \"formwork/sandbox\" = \"/path/to/plugins\" }
    direct {}
  }

  # main.tf
  terraform {
    required_providers {
      sandbox = { source = \"formwork/sandbox\" }
    }
  }

Environment:
  FORMWORK_STATE_DIR  where a provider without a cloud, such as the sandbox, keeps its state
                      [default: .formwork/ENV in the folder that Terraform runs in]
  FORMWORK_ENV        the environment that objects are tagged with [default: terraform]";

pub(super) const COMPLETION: &str = "\
Examples:
  formwork completion bash > /etc/bash_completion.d/formwork
  formwork completion zsh > ~/.zfunc/_formwork
  formwork completion fish > ~/.config/fish/completions/formwork.fish";
