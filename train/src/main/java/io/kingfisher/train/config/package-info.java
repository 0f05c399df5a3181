/** Run configurations: YAML files with overrides, checked against schemas, kept with the line each key came from. */
package io.kingfisher.train.config;
