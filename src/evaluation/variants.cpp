// SPDX-License-Identifier: Apache-2.0
#include "evaluation/variants.hpp"

#include "media/degrade/degrade.hpp"

namespace unmask {

std::vector<Variant> StandardVariants() {
  std::vector<Variant> variants;
  for (const Degradation& degradation : StandardDegradations())
    variants.push_back(
        {CodeOf(degradation), DescribeDegradation(degradation),
         [degradation](const cv::Mat& bgr, std::uint64_t seed) { return Degrade(bgr, degradation, seed); }});
  return variants;
}

std::vector<Pass> StartPasses(std::size_t samples, std::span<const Variant> variants) {
  std::vector<Pass> passes{{"clean", "", std::vector<SampleOutcome>(samples)}};
  for (const Variant& variant : variants)
    passes.push_back({variant.name, variant.description, std::vector<SampleOutcome>(samples)});
  return passes;
}

}  // namespace unmask
