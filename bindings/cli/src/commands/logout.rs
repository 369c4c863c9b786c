//! `lomme logout`

use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::roll;
use crate::shapes::AccountShape;
use lomme::account::SignIn;

pub fn run(place: &Place, output: &mut Output) -> Result<(), Failure> {
    let drive = place.open()?;
    let was_in = drive.account().state()? != SignIn::Out;
    drive.sign_out()?;
    roll::forget(place)?;
    if output.is_json() {
        return output.document(&AccountShape::new(&SignIn::Out));
    }
    output.line(if was_in {
        "Signed out. The tokens and the local tree are gone from this machine."
    } else {
        "Nobody was signed in."
    })
}
