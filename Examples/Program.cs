using System.Diagnostics;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Messages;
using Spectre.Console;

namespace MLExtensions.Examples;

/// <summary><c>dotnet run --project Examples -- NAME [--option value ...]</c>; without a name it lists the examples.</summary>
internal static class Program
{
    private const int Success = 0;
    private const int Failure = 1;
    private const int WrongUsage = 2; // wrong command line or missing data
    private const int Canceled = 130; // what shells expect after Ctrl+C

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
            var isKept = args.Length > 0 && ExampleList.Find(args[0])?.Options.Contains(ExampleOption.Resume) == true;
            return Fail(isKept ? "Canceled. The epochs that were finished are kept: the same command with --resume goes on after them." : "Canceled.", Canceled);
        }
        catch (UsageException e)
        {
            return Fail(e.Message, WrongUsage);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Fail(e.Message, WrongUsage);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or IOException or InvalidDataException or UnauthorizedAccessException or TorchNotAvailableException)
        {
            return Fail(e.Message, Failure);
        }
        catch (Exception e)
        {
            return Fail($"Unexpected error: {e}", Failure);
        }
    }

    private static int Run(string[] args, CancellationToken cancellationToken)
    {
        if (args is [] or ["help" or "--help" or "-h"])
        {
            ExampleList.Print();
            return Success;
        }
        var name = args[0] == "help" ? args[1] : args[0];
        var example = ExampleList.Find(name)
            ?? throw new UsageException($"There is no example '{name}'.{NearestName.Suggest(name, ExampleList.Names)} --help lists the examples.");
        if (args[0] == "help" || args.Any(word => word is "--help" or "-h"))
        {
            ExampleList.PrintHelp(example);
            return Success;
        }
        var arguments = ExampleArguments.Parse(args[1..], example);
        var watch = Stopwatch.StartNew();
        var result = example.Run(arguments, cancellationToken);
        result["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1);
        // Not by way of Spectre.Console, which breaks long lines.
        Console.WriteLine(result);
        // Last, so that it is not overlooked above the figures.
        return result.Failure == null ? Success : Fail($"Exit code {Failure}: {result.Failure}", Failure);
    }

    /// <summary>Prints to standard error. Where that is a file or a pipe, lines stay whole for scripts.</summary>
    private static int Fail(string message, int exitCode)
    {
        if (Console.IsErrorRedirected)
            Console.Error.WriteLine(message);
        else
            AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).MarkupLineInterpolated($"[red]{message}[/]");
        return exitCode;
    }
}
