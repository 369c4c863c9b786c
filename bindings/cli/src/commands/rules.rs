//! `lomme rules`

use super::size;
use crate::args::Rules as Args;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::shapes::RulesShape;
use lomme::conditions::Rules;

pub fn run(args: &Args, place: &Place, output: &mut Output) -> Result<(), Failure> {
    let drive = place.open()?;
    let before = drive.status()?.rules;
    let rules = Rules {
        on_metered: args.on_metered.unwrap_or(before.on_metered),
        on_roaming: args.on_roaming.unwrap_or(before.on_roaming),
        metered_bytes_a_month: args
            .monthly
            .map_or(before.metered_bytes_a_month, |cap| cap.0),
        only_charging: args.only_charging.unwrap_or(before.only_charging),
        battery_at_least: args.battery.unwrap_or(before.battery_at_least),
        on_low_power: args.on_low_power.unwrap_or(before.on_low_power),
    };
    if rules != before {
        drive.set_rules(rules)?;
    }
    if output.is_json() {
        return output.document(&RulesShape::from(&rules));
    }
    tell(&rules, output)
}

pub fn tell(rules: &Rules, output: &mut Output) -> Result<(), Failure> {
    let yes = |answer: bool| if answer { "yes" } else { "no" };
    let cap = rules
        .metered_bytes_a_month
        .map_or_else(|| "no limit".into(), size);
    let battery = format!("{} %", rules.battery_at_least);
    for (rule, answer) in [
        ("on metered networks", yes(rules.on_metered)),
        ("on roaming networks", yes(rules.on_roaming)),
        ("metered, a month", &cap),
        ("only on a charger", yes(rules.only_charging)),
        ("battery at least", &battery),
        ("while saving power", yes(rules.on_low_power)),
    ] {
        output.line(format!("  {rule:21} {answer}"))?;
    }
    Ok(())
}
