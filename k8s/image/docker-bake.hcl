# docker buildx bake -f k8s/image/docker-bake.hcl --set '*.platform=linux/amd64,linux/arm64' --push
variable "REGISTRY" { default = "registry.example/steward" }
variable "VERSION" { default = "0.1.0" }
variable "REVISION" { default = "" }
# The commit's time (git log -1 --format=%ct), so that the same commit gives the same image.
variable "SOURCE_DATE_EPOCH" { default = "0" }

group "default" { targets = ["program"] }

target "program" {
  name       = program
  matrix     = { program = ["customer", "work-order", "notification", "survey", "care", "gateway"] }
  context    = "."
  dockerfile = "k8s/image/Dockerfile"
  args       = { PROGRAM = program, VERSION = VERSION, REVISION = REVISION, SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH }
  tags       = ["${REGISTRY}/${program}:${VERSION}"]
  attest     = ["type=provenance,mode=max", "type=sbom"]
  output     = ["type=registry,rewrite-timestamp=true"]
}
