using MLExtensions.Examples.Infrastructure;
using MLExtensions.Messages;
using Spectre.Console;

namespace MLExtensions.Examples;

/// <summary><c>dotnet run --project Examples -- NAME [--option value ...]</c>; without a name it lists the examples.</summary>
internal static class Program
{
    private const int Failure = 1;
    private const int Cancelled = 130; // what shells expect after Ctrl+C

    private static int Main(string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            // The first Ctrl+C asks the training to stop, the second one ends the program.
            pressed.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        };
        try
        {
            return Run(args, cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            AnsiConsole.MarkupLine("[yellow]Cancelled.[/]");
            return Cancelled;
        }
        catch (Exception e) when (e is UsageException or ArgumentException or FormatException or IOException or InvalidDataException or UnauthorizedAccessException or TorchNotAvailableException)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
            return Failure;
        }
    }

    private static int Run(string[] args, CancellationToken cancellationToken)
    {
        if (args is [] or ["help" or "--help" or "-h"])
        {
            ExampleList.Print();
            return 0;
        }
        if (ExampleList.Find(args[0]) is not { } example)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]There is no example '{args[0]}'.{NearestName.Suggest(args[0], ExampleList.Names)}[/]");
            ExampleList.Print();
            return Failure;
        }
        return example.Run(ExampleArguments.Parse(args[1..], example), cancellationToken);
    }
}
