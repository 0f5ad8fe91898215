// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ensemble/logistic.hpp"

#include <algorithm>
#include <cmath>

#include <opencv2/core.hpp>

namespace unmask {
namespace {

constexpr int kRounds = 200;
constexpr double kRidge = 1e-9;  // keeps features that say the same solvable; moves no digit that is kept
constexpr double kConverged = 1e-10;  // largest change of a parameter

/// The parameters are the weights and, last, the bias.
class Fit {
 public:
  Fit(std::span<const LogisticSample> samples, bool non_negative)
      : samples_(samples), size_(static_cast<int>(samples.front().features.size()) + 1) {
    const auto count = [&](bool manipulated) {
      return static_cast<double>(std::count_if(samples.begin(), samples.end(), [&](const auto& sample) {
        return sample.manipulated == manipulated;
      }));
    };
    target_[1] = (count(true) + 1) / (count(true) + 2);
    target_[0] = 1 / (count(false) + 2);
    theta_.assign(static_cast<std::size_t>(size_), 0);
    theta_.back() = std::log(count(true) / count(false));
    bounded_.assign(static_cast<std::size_t>(size_), non_negative);
    bounded_.back() = false;
  }

  LogisticFit Run() {
    for (int round = 0; round < kRounds && Step() > kConverged; ++round) {
    }
    LogisticFit fit{.weights = theta_, .bias = theta_.back()};
    fit.weights.pop_back();
    return fit;
  }

 private:
  double Value(const LogisticSample& sample, std::size_t i) const {
    return i < sample.features.size() ? sample.features[i] : 1;
  }
  double Log(const std::vector<double>& theta, const LogisticSample& sample) const {
    double z = 0;
    for (std::size_t i = 0; i < theta.size(); ++i) z += theta[i] * Value(sample, i);
    return z;
  }
  double Loss(const std::vector<double>& theta) const {
    double loss = 0;
    for (const LogisticSample& sample : samples_) {
      const double z = Log(theta, sample);
      loss += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - target_[sample.manipulated] * z;
    }
    return loss;
  }

  /// One Newton step among the parameters that are free to move, back inside the bounds, halved until the
  /// loss does not rise. Gives the largest change.
  double Step() {
    cv::Mat gradient = cv::Mat::zeros(size_, 1, CV_64F);
    cv::Mat hessian = cv::Mat::zeros(size_, size_, CV_64F);
    for (const LogisticSample& sample : samples_) {
      const double p = 1 / (1 + std::exp(-Log(theta_, sample)));
      for (int i = 0; i < size_; ++i) {
        const double x = Value(sample, static_cast<std::size_t>(i));
        gradient.at<double>(i) += x * (p - target_[sample.manipulated]);
        for (int k = 0; k < size_; ++k)
          hessian.at<double>(i, k) += x * Value(sample, static_cast<std::size_t>(k)) * p * (1 - p);
      }
    }
    for (int i = 0; i < size_; ++i) {
      hessian.at<double>(i, i) += kRidge;
      const auto at = static_cast<std::size_t>(i);
      if (!bounded_[at] || theta_[at] > 0 || gradient.at<double>(i) < 0) continue;
      // At its bound, and better beyond it: it stays.
      gradient.at<double>(i) = 0;
      hessian.row(i).setTo(0);
      hessian.col(i).setTo(0);
      hessian.at<double>(i, i) = 1;
    }
    cv::Mat step;
    cv::solve(hessian, gradient, step, cv::DECOMP_SVD);
    const double before = Loss(theta_);
    for (double size = 1; size > 1e-8; size /= 2) {
      std::vector<double> next = theta_;
      double change = 0;
      for (std::size_t i = 0; i < next.size(); ++i) {
        next[i] -= size * step.at<double>(static_cast<int>(i));
        if (bounded_[i]) next[i] = std::max(next[i], 0.0);
        change = std::max(change, std::abs(next[i] - theta_[i]));
      }
      if (Loss(next) > before) continue;
      theta_ = std::move(next);
      return change;
    }
    return 0;
  }

  std::span<const LogisticSample> samples_;
  int size_;
  double target_[2] = {};
  std::vector<double> theta_;
  std::vector<bool> bounded_;
};

}  // namespace

LogisticFit FitLogistic(std::span<const LogisticSample> samples, bool non_negative) {
  return Fit(samples, non_negative).Run();
}

Calibration FitPlatt(std::span<const LogisticSample> samples) {
  const LogisticFit fit = FitLogistic(samples, false);
  return {.fitted = true, .slope = fit.weights.front(), .intercept = fit.bias};
}

}  // namespace unmask
