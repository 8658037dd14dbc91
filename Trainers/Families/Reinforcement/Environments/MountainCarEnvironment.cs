using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// MountainCar (Moore, 1990): a car in a valley, too weak to drive up, has to swing. The same numbers as Gymnasium's <c>MountainCar-v0</c>;
/// the episodes of that name end after 200 steps.
/// </summary>
/// <remarks>
/// Observations are position and velocity. Action 0 drives to the left, 1 not at all, 2 to the right. Each step gives -1; the episode
/// terminates at position 0.5, the right hill.
/// </remarks>
public sealed class MountainCarEnvironment : SimulatedEnvironment
{
    private const double Leftmost = -1.2;
    private const double Rightmost = 0.6;
    private const double Fastest = 0.07;
    private const double Goal = 0.5;
    private const double Force = 0.001;
    private const double Gravity = 0.0025;

    private readonly float[] _observation = new float[2];
    private double _position;
    private double _velocity;

    /// <summary>Creates the environment, without a time limit; <c>EnvironmentRegistry.Make("MountainCar-v0")</c> has one.</summary>
    public MountainCarEnvironment()
        : base("MountainCar-v0", new BoxSpace([2], [(float)Leftmost, -(float)Fastest], [(float)Rightmost, (float)Fastest]), actions: 3)
    {
    }

    internal (double Position, double Velocity) State
    {
        get => (_position, _velocity);
        set
        {
            (_position, _velocity) = value;
            Run();
        }
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Width = 150, Height = 100;
        var canvas = new Canvas(Width, Height, Canvas.White);
        for (var x = 0; x < Width; x++)
            canvas.Rectangle(x, Y(Leftmost + (x * (Rightmost - Leftmost) / (Width - 1))), 1, 2, Canvas.Gray);
        canvas.Line(X(Goal), Y(Goal), X(Goal), Y(Goal) - 16, 2, Canvas.Green);
        canvas.Disc(X(_position), Y(_position) - 4, 4, Canvas.Red);
        return canvas.ToFrame();

        static int X(double position) => (int)((position - Leftmost) / (Rightmost - Leftmost) * (Width - 1));

        static int Y(double position) => (int)(55 - (35 * Math.Sin(3 * position)));
    }

    /// <inheritdoc/>
    public override string RenderText()
    {
        const int Width = 55;
        var place = (int)Math.Round((_position - Leftmost) / (Rightmost - Leftmost) * (Width - 1));
        var goal = (int)Math.Round((Goal - Leftmost) / (Rightmost - Leftmost) * (Width - 1));
        var line = new string('_', Width).ToCharArray();
        line[goal] = '!';
        line[place] = 'o';
        return new string(line) + FormattableString.Invariant($"\nposition {_position:F3}, velocity {_velocity:F4}\n");
    }

    private protected override void Begin() => (_position, _velocity) = (Uniform(-0.6, -0.4), 0);

    private protected override (double Reward, bool Terminated) Act(int action)
    {
        _velocity = Math.Clamp(_velocity + ((action - 1) * Force) + (Math.Cos(3 * _position) * -Gravity), -Fastest, Fastest);
        _position = Math.Clamp(_position + _velocity, Leftmost, Rightmost);
        if (_position == Leftmost && _velocity < 0)
            _velocity = 0;
        return (-1, _position >= Goal && _velocity >= 0);
    }

    private protected override ReadOnlyMemory<float> Observe()
    {
        _observation[0] = (float)_position;
        _observation[1] = (float)_velocity;
        return _observation;
    }

    private protected override void SaveCore(BinaryWriter writer)
    {
        writer.Write(_position);
        writer.Write(_velocity);
    }

    private protected override void LoadCore(BinaryReader reader) => (_position, _velocity) = (reader.ReadDouble(), reader.ReadDouble());
}
