//! `lomme camera device` and `lomme camera adopt`

use super::Desk;
use crate::args::{CameraDevice, CameraDeviceKind};
use crate::commands::count;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::shapes::{AdoptedShape, DeviceShape};
use lomme::CancelToken;
use lomme::camera::{Adopted, DeviceKind};

pub async fn run(
    command: &CameraDevice,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let camera = desk.camera();
    match command {
        CameraDevice::List => list(desk, output, cancel).await,
        CameraDevice::Create { name, kind } => {
            let kind = match kind {
                CameraDeviceKind::Android => DeviceKind::Android,
                CameraDeviceKind::Iphone => DeviceKind::Iphone,
                CameraDeviceKind::Ipad => DeviceKind::Ipad,
                CameraDeviceKind::Workstation => DeviceKind::Workstation,
            };
            camera.create_device(name, kind, cancel).await?;
            tell(desk, Adopted::default(), output)
        }
        CameraDevice::Claim { name } => {
            let adopted = camera.claim_device(name, cancel).await?;
            tell(desk, adopted, output)
        }
    }
}

pub async fn adopt(desk: &Desk, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    if desk.camera().device()?.is_none() {
        return Err(Failure::no_device());
    }
    let adopted = desk.camera().adopt(cancel).await?;
    tell(desk, adopted, output)
}

async fn list(desk: &Desk, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let devices = desk.camera().devices(cancel).await?;
    if output.is_json() {
        output.start_list()?;
        for device in &devices {
            output.list_item(&DeviceShape::from(device))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    if devices.is_empty() {
        output.remark("Backup has no device yet.");
    }
    for device in &devices {
        let ours = if device.ours { "   (this one)" } else { "" };
        output.line(format!("{}{ours}", shown(&device.name)))?;
    }
    Ok(())
}

fn tell(desk: &Desk, adopted: Adopted, output: &mut Output) -> Result<(), Failure> {
    let device = desk.camera().device()?;
    if output.is_json() {
        return output.document(&AdoptedShape {
            device: device.as_deref(),
            adopted: adopted.into(),
        });
    }
    let device = device.unwrap_or_default();
    output.line(format!("Backing up to '{}'.", shown(&device)))?;
    if adopted.files > 0 {
        output.line(format!(
            "It holds {} of the sources; {} not known here, and not sent again.",
            count(adopted.files, "file"),
            match adopted.adopted {
                1 => "1 was".to_owned(),
                many => format!("{many} were"),
            }
        ))?;
    }
    if adopted.missing > 0 {
        output.line(format!(
            "{} not there any more: deleted by somebody, or to be sent again.",
            match adopted.missing {
                1 => "1 file is".to_owned(),
                many => format!("{many} files are"),
            }
        ))?;
    }
    Ok(())
}
