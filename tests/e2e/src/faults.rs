//! What goes wrong on the way and at the service, each a bounded number of times.

use local_cloud::{Cloud, Rule, Switches};
use std::time::Duration;

/// Default answers, one other, or some others at once.
pub fn switches(random: &mut fastrand::Rng) -> Switches {
    let others = Switches::each_alternative();
    let mut switches = Switches::default();
    for _ in 0..random.usize(..4) {
        let (_, other) = &others[random.usize(..others.len())];
        for info in Switches::all() {
            let answer = other.get(info.name).unwrap();
            if Some(answer) != Switches::default().get(info.name) {
                switches.set(info.name, answer).unwrap();
            }
        }
    }
    switches
}

/// One fault; says which.
pub fn add(cloud: &Cloud, random: &mut fastrand::Rng) -> String {
    let kinds = [
        "allocate",
        "upload",
        "cphash",
        "mkDir",
        "mv",
        "mvDir",
        "cp",
        "dl",
        "dlDir",
        "rm",
        "rmDir",
        "get",
        "list",
        "liststream",
        "restore",
    ];
    let kind = kinds[random.usize(..kinds.len())];
    let rule = if random.u8(..3) == 0 {
        Rule::on_all()
    } else {
        Rule::on(kind)
    };
    let rule = rule.after(random.u64(..4)).times(random.u64(1..4));
    let (what, rule) = match random.u8(..8) {
        0 => ("cut off", rule.cut_after(random.u64(..100))),
        1 | 2 => ("lost answer", rule.lose_answer()),
        3 => ("500", rule.status(500)),
        4 => ("503", rule.status(503)),
        5 => ("429", rule.status(429).retry_after(30)),
        6 => ("cut upload", rule.cut_upload_after(random.u64(..300))),
        _ => ("late", rule.delay(Duration::from_millis(random.u64(1..4)))),
    };
    cloud.trouble().add(rule);
    format!("{what} at {kind} or all")
}

/// The account's own trouble: quota, lock, tokens; says which.
pub fn account(cloud: &Cloud, random: &mut fastrand::Rng) -> &'static str {
    match random.u8(..5) {
        0 => {
            cloud.set_account(|account| account.capacity = 1);
            "full"
        }
        1 => {
            cloud.set_account(|account| account.write_locked = true);
            "locked"
        }
        2 => {
            cloud.expire_access_tokens().unwrap();
            "tokens expired"
        }
        3 => {
            cloud.revoke_sessions().unwrap();
            "signed out everywhere"
        }
        _ => {
            heal_account(cloud);
            "account healed"
        }
    }
}

/// Room again, and no lock.
pub fn heal_account(cloud: &Cloud) {
    cloud.set_account(|account| {
        account.capacity = -1;
        account.write_locked = false;
    });
}

/// No faults any more.
pub fn heal(cloud: &Cloud) {
    cloud.trouble().clear();
    heal_account(cloud);
}
