package io.kingfisher.runtime.conformance;

/**
 * What a check found.
 *
 * @param name the check's name, which says op, shapes and type
 * @param passed whether everything was within its tolerance
 * @param worstError the largest relative error, infinite where no finite one describes it; NaN where the check could not run
 * @param tolerance the relative error that was allowed there; 0 where only the same numbers are right
 * @param message what is wrong and where; empty where the check passed
 */
public record Result(String name, boolean passed, double worstError, double tolerance, String message) {}
