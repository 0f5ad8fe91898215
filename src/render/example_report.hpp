// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unmask/report.hpp"

namespace unmask {

/// The report of native-api section 1, for tests of the renderers.
Report ExampleReport();

/// Of a still with one face and nothing found in it.
Report ExampleStill();

/// The first one as an ensemble of face:1 and mine:7 would give it; mine:7 is not calibrated.
Report ExampleOfAnEnsemble();

/// One colour everywhere.
std::shared_ptr<const Picture> PlainPicture(int width, int height, std::uint8_t value = 128);

}  // namespace unmask
