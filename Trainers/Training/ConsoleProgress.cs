using System.Globalization;

namespace MLExtensions;

/// <summary>Shows the progress of a training on the console: <c>Progress = new ConsoleProgress()</c>.</summary>
/// <remarks>
/// <para>
/// On a terminal it is one line that is written again and again: a bar, epoch, loss, speed and the time that is left. If the output is a
/// file or a pipe, or goes to a writer, it is a plain line for about every tenth of the epochs, so ten lines at most.
/// </para>
/// <para>
/// One object can be used for several trainings, one after the other: the folds of a cross-validation, or the RBMs of a stack. Reports are
/// written on the training thread as they come.
/// </para>
/// </remarks>
public sealed class ConsoleProgress : IProgress<TrainingProgress>, IEndingProgress
{
    private const int PlainLines = 10;
    private const int LeastBarWidth = 8;
    private const int MostBarWidth = 30;
    private const int TextWidth = 68;
    private const int DefaultWidth = 80;

    private readonly Lock _lock = new();
    private readonly string? _title;
    private readonly TextWriter? _writer;
    private readonly Func<int>? _terminalWidth;
    private (string? Stage, int Epoch) _last;
    private double? _validationLoss;
    private bool _hasTitle;
    private int _plainLines;
    private int _barLength;

    /// <summary>Creates a display.</summary>
    /// <param name="title">A line before the first report, such as what is trained. Default null: none.</param>
    /// <param name="writer">Where to write plain lines. Default null: the console, with a bar if it is a terminal.</param>
    public ConsoleProgress(string? title = null, TextWriter? writer = null)
        : this(title, writer, writer == null && IsTerminal() ? ConsoleWidth : null)
    {
    }

    /// <param name="title">The line before the first report, or null.</param>
    /// <param name="writer">Where to write; null for the console.</param>
    /// <param name="terminalWidth">The number of characters per line of the terminal; null if the output is no terminal.</param>
    internal ConsoleProgress(string? title, TextWriter? writer, Func<int>? terminalWidth) => (_title, _writer, _terminalWidth) = (title, writer, terminalWidth);

    private TextWriter Writer => _writer ?? Console.Out;

    /// <summary>Shows a report.</summary>
    /// <param name="value">The report.</param>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            Begin(value);
            _validationLoss = value.Completed?.ValidationLoss ?? _validationLoss;
            var share = (value.Epoch - 1 + ((double)value.Batch / Math.Max(1, value.Batches))) / Math.Max(1, value.Epochs);
            if (_terminalWidth != null)
                WriteBar(Math.Clamp(share, 0, 1), Describe(value), Math.Max(LeastBarWidth, _terminalWidth() - 1));
            else if (value.Completed != null && (long)value.Epoch * PlainLines >= (_plainLines + 1L) * value.Epochs)
                WritePlain(value);
        }
    }

    /// <summary>Ends the line of the bar, so that what is written next has a line of its own.</summary>
    void IEndingProgress.End()
    {
        lock (_lock)
        {
            if (_barLength > 0)
                Writer.WriteLine();
            (_barLength, _last) = (0, default);
        }
    }

    private void Begin(TrainingProgress value)
    {
        if (!_hasTitle && _title != null)
            Writer.WriteLine(_title);
        _hasTitle = true;
        if (value.Stage != _last.Stage || value.Epoch < _last.Epoch || _last.Epoch == 0)
            (_plainLines, _validationLoss) = (0, null);
        _last = (value.Stage, value.Epoch);
    }

    private void WritePlain(TrainingProgress value)
    {
        _plainLines = (int)((long)value.Epoch * PlainLines / Math.Max(1, value.Epochs));
        Writer.WriteLine($"  {Describe(value)}");
    }

    private void WriteBar(double share, string text, int width)
    {
        var barWidth = Math.Clamp(width - TextWidth, LeastBarWidth, MostBarWidth); // the same for all reports
        var done = (int)(share * barWidth);
        var line = $"[{new string('#', done)}{new string('-', barWidth - done)}] {text}";
        if (line.Length > width)
            line = line[..width]; // a second line could not be written over
        Writer.Write("\r" + line.PadRight(_barLength));
        Writer.Flush();
        _barLength = line.Length;
    }

    private string Describe(TrainingProgress value)
    {
        var validation = _validationLoss == null ? "" : FormattableString.Invariant($", validation {_validationLoss:0.0000}");
        var stage = value.Stage == null ? "" : value.Stage + ", ";
        return string.Create(CultureInfo.InvariantCulture, $"{stage}epoch {value.Epoch}/{value.Epochs}, loss {value.TrainingLoss:0.0000}{validation}, {(int)value.TimeLeft.TotalHours}:{value.TimeLeft:mm\\:ss} left, {value.ExamplesPerSecond:N0} examples/s");
    }

    private static bool IsTerminal() => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>The width of the console, which some terminals do not tell.</summary>
    private static int ConsoleWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : DefaultWidth;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return DefaultWidth;
        }
    }
}
