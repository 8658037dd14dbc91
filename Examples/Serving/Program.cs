using MLExtensions.Examples.Serving;

if (ServerOptions.Parse(args, Console.Error) is not { } options)
    return args.Contains("--help") ? 0 : 1;
await using var app = ModelServer.Build(options);
await app.RunAsync();
return 0;
