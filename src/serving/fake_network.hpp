// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "serving/served_network.hpp"

namespace unmask::serving {

/// For tests: takes [n,2,3], gives "sum" [n,1] (of an instance's values) and "twice" [n,2,3].
class FakeNetwork : public Network {
 public:
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    if (input.shape.size() != 3 || input.shape[1] != 2 || input.shape[2] != 3)
      return Fail(ErrorCode::kBadRequest, "wrong shape");
    Tensor sum{.name = "sum", .shape = {input.shape[0], 1}, .values = std::vector<float>(input.shape[0])};
    Tensor twice{.name = "twice", .shape = input.shape, .values = {}};
    for (std::size_t i = 0; i < input.values.size(); ++i) {
      sum.values[i / 6] += input.values[i];
      twice.values.push_back(2 * input.values[i]);
      // A way to make it give what is not finite.
      if (input.values[i] == 666) sum.values[i / 6] = std::numeric_limits<float>::quiet_NaN();
    }
    return std::vector{std::move(sum), std::move(twice)};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::vector<std::int64_t> input_shape() const override { return {-1, 2, 3}; }
  std::size_t width() const override { return 1; }
};

inline std::shared_ptr<const ServedNetwork> FakeServed(int version = 1, std::size_t batch = 0) {
  ModelCard card;
  card.name = "fake";
  card.version = version;
  card.input.name = "image";
  card.output_name = "sum";
  auto scorer = std::make_shared<const Scorer>(std::move(card), std::make_unique<FakeNetwork>(), batch);
  auto tensors = ProbeTensors(scorer->card(), scorer->network()).value();
  return std::make_shared<const ServedNetwork>(std::move(scorer),
                                               std::make_shared<const NetworkTensors>(std::move(tensors)));
}

}  // namespace unmask::serving
