// gpu_probe PART: measures or checks one thing on a device and prints its figures as one line of JSON. run.py beside
// these sources runs all parts, each as a process of its own.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "probe.h"

namespace {

using Part = gpu::Figures (*)(const gpu::Options&);

const std::map<std::string, Part> kParts = {{"machine", gpu::machine},       {"exchange", gpu::exchange},
                                            {"delegation", gpu::delegation}, {"graphs", gpu::graphs},
                                            {"streams", gpu::streams},       {"abort", gpu::ending_by_abort},
                                            {"kill", gpu::ending_by_kill}};

}  // namespace

int main(int argc, char** argv) {
  gpu::Options options;
  std::string part;
  CLI::App app("Measures or checks one thing on a device.", "gpu_probe");
  app.add_option("part", part)->required()->check(CLI::IsMember(kParts));
  app.add_option("--runtime", options.runtime, "file of the device runtime (default: libcudart.so, newest first)");
  app.add_option("--device", options.device, "number of the device")->capture_default_str();
  app.add_option("--vendor-library", options.vendor_library, "the vendor's NCCL (delegation)");
  app.add_option("--bytes", options.bytes, "largest size")->capture_default_str();
  app.add_option("--rounds", options.rounds, "rounds that are measured")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    std::printf("%s\n", kParts.at(part)(options).dump().c_str());
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "gpu_probe %s: %s\n", part.c_str(), failure.what());
    std::fflush(stdout);
    _exit(1);  // other threads may be inside calls that will not end
  }
}
