using Spectre.Console;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>
/// Shows a training's <see cref="TrainingProgress"/> as a progress bar, or as about ten lines if the output is a file or a pipe.
/// If several networks are trained one after the other, the progress starts again with each.
/// </summary>
/// <remarks>
/// Reports are handled on the training thread as they come. <see cref="Progress{T}"/> would post them to the thread pool, where
/// they may overtake each other.
/// </remarks>
internal sealed class TrainingProgressBar : IProgress<TrainingProgress>
{
    private const int Lines = 10;
    private const int DescriptionWidth = 68;

    private readonly ProgressTask? _bar;
    private int _linesWritten;
    private string? _stage;

    private TrainingProgressBar(ProgressTask? bar) => _bar = bar;

    /// <summary>Runs a training while its progress is shown.</summary>
    /// <param name="title">What is trained.</param>
    /// <param name="train">Trains; the progress goes into the trainer's options.</param>
    public static T Show<T>(string title, Func<IProgress<TrainingProgress>, T> train)
    {
        AnsiConsole.WriteLine(title);
        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive)
            return train(new TrainingProgressBar(null));
        var bar = new ProgressBarColumn { Width = Math.Clamp(AnsiConsole.Profile.Width - DescriptionWidth, 8, 40) };
        return AnsiConsole.Progress()
            .Columns(bar, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context => train(new TrainingProgressBar(context.AddTask("starting", maxValue: 1))));
    }

    public void Report(TrainingProgress value)
    {
        var epochsDone = value.Epoch - 1 + ((double)value.Batch / Math.Max(1, value.Batches));
        var share = epochsDone / value.Epochs;
        if (value.Stage != _stage)
            (_stage, _linesWritten) = (value.Stage, 0);
        if (_bar != null)
        {
            _bar.Value = share;
            _bar.Description = Describe(value);
        }
        else if (value.Completed != null && share * Lines >= _linesWritten + 1)
        {
            _linesWritten = (int)(share * Lines);
            AnsiConsole.WriteLine($"  {Describe(value)}");
        }
    }

    private static string Describe(TrainingProgress value) =>
        $"{(value.Stage == null ? "" : value.Stage + ", ")}epoch {value.Epoch}/{value.Epochs}, loss {value.TrainingLoss:0.0000}, {value.ExamplesPerSecond:N0} examples/s, {value.TimeLeft:h\\:mm\\:ss} left";
}
