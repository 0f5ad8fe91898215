// SPDX-License-Identifier: Apache-2.0
// Rebuilds networks from any description and any lay-out of weights: everything that is done with a Keras
// file above HDF5. The file of weights is a stand-in written as JSON, so that no fault is libhdf5's:
// {"model": CONFIG, "texts": {"PATH@NAME": ["..."]}, "numbers": {"PATH": [SHAPE]}}.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "model/keras/meso.hpp"
#include "model/keras/network_builder.hpp"
#include "model/keras/weight_plan.hpp"

namespace {

using namespace unmask::keras;
using nlohmann::json;

constexpr std::size_t kMostNumbers = 1 << 20;  // of all arrays together, as a file's size bounds them

class StandIn final : public WeightFile {
 public:
  StandIn(const json& texts, const json& numbers) : texts_(texts), numbers_(numbers) {}

  bool Has(const std::string& path) const override { return numbers_.contains(path); }

  bool HasAttribute(const std::string& path, const std::string& name) const override {
    return texts_.contains(path + "@" + name);
  }

  std::string Text(const std::string& path, const std::string& attribute) const override {
    const auto texts = Texts(path, attribute);
    if (texts.size() != 1) throw BadFile("not one text");
    return texts[0];
  }

  std::vector<std::string> Texts(const std::string& path, const std::string& attribute) const override {
    if (!HasAttribute(path, attribute)) throw BadFile("no such attribute");
    return texts_.at(path + "@" + attribute).get<std::vector<std::string>>();
  }

  Array Numbers(const std::string& path) const override {
    if (!Has(path)) throw BadFile("no such data set");
    Array array{.shape = numbers_.at(path).get<std::vector<std::size_t>>(), .values = {}};
    std::size_t count = 1;
    for (const std::size_t size : array.shape) {
      if (size != 0 && count > (kMostNumbers - read_) / size) throw BadFile("more numbers than bytes");
      count *= size;
    }
    read_ += count;
    array.values.assign(count, 0.25F);
    return array;
  }

 private:
  const json& texts_;
  const json& numbers_;
  mutable std::size_t read_ = 0;
};

template <typename Step>
void Try(Step step) {
  try {
    step();
  } catch (const std::exception&) {  // ReadKerasModel() makes an error of it
  }
}

void Build(const WeightStore& weights, const json& model, BuildOptions options) {
  if (NetworkBuilder(weights, options).Build(model) == nullptr) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const json input = json::parse(data, data + size, nullptr, /*allow_exceptions=*/false);
  if (!input.is_object()) return 0;
  const json none = json::object();
  const auto part = [&](const char* name) -> const json& {
    return input.contains(name) && input[name].is_object() ? input[name] : none;
  };
  const json& model = part("model");
  const StandIn file(part("texts"), part("numbers"));
  Try([&] {
    CheckLayers(model);
    Try([&] { Build(PlanListed(file, "model_weights", model), model, {.keras = 2}); });
    Try([&] { Build(PlanNumbered(file, model), model, {.keras = 3, .height = 32, .width = 48}); });
  });
  Try([&] { RecogniseArchitecture(StoredLayers(file, "")); });
  return 0;
}
