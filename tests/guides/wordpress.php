<?php
// As much of WordPress's HTTP API as the guide's plugin and page use: a filter, and requests by PHP's own streams.
$filters = [];

function add_filter($name, $function, $priority = 10, $accepted = 1)
{
    $GLOBALS['filters'][$name][] = $function;
}

function wp_remote_request($url, $arguments)
{
    foreach ($GLOBALS['filters']['pre_http_request'] ?? [] as $filter) {
        $answer = $filter(false, $arguments, $url);
        if ($answer !== false) {
            return $answer;
        }
    }
    $lines = [];
    foreach ($arguments['headers'] as $name => $value) {
        $lines[] = "$name: $value";
    }
    $http = ['method' => $arguments['method'], 'header' => $lines, 'content' => $arguments['body'], 'ignore_errors' => true];
    $body = file_get_contents($url, false, stream_context_create(['http' => $http]));
    return ['body' => $body, 'response' => ['code' => (int) explode(' ', $http_response_header[0])[1]]];
}

function wp_remote_post($url, $arguments)
{
    return wp_remote_request($url, ['method' => 'POST'] + $arguments);
}

function wp_remote_retrieve_response_code($answer)
{
    return $answer['response']['code'];
}

function wp_remote_retrieve_body($answer)
{
    return $answer['body'];
}

require 'cutout.php';
require 'product-image.php';
