//! The service, as a `.proto` file would have it, so that no `protoc` is needed to build this.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::Question")
            .output_type("crate::Answer")
            .codec_path("tonic_prost::ProstCodec")
    };
    let service = Service::builder()
        .package("example")
        .name("Oracle")
        .method(method("ask", "Ask").build())
        .method(method("ask_again", "AskAgain").server_streaming().build())
        .build();
    Builder::new().compile(&[service]);
    println!("cargo::rerun-if-changed=build.rs");
}
